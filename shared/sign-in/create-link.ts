/**
 * `POST /signin/links`: an application requests a link with which a person creates a grant for it. A person with the
 * role `Grant.Create` may request one for any application in the policy. The link contains the application, the APIs
 * and the scopes, sealed, so the person who opens it cannot change them. The service issues the grant only after that
 * person approves it on the confirmation page.
 */

import type { AuditTrail } from "../audit/audit-trail.ts";
import { requestedFacts } from "../audit/requested-facts.ts";
import { authenticate } from "../caller/authenticate.ts";
import type { Caller } from "../caller/caller.ts";
import { hasOperatorRole } from "../caller/operator-role.ts";
import type { ClientAuthentication } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { LINK_SECONDS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { decideSignIn } from "../policy/decide.ts";
import type { SignInInput } from "../policy/evaluate.ts";
import { entryFor, named, noEntry } from "../policy/find-entry.ts";
import { registrationIdOf } from "../policy/registrations.ts";
import type { CallerRule } from "../policy/rules.ts";
import { fromStateFailure, type SignInContext } from "./sign-in-context.ts";
import { toTarget } from "./target.ts";

/** App role of this service's default registration: may create links for any application in the policy. */
const LINK_ROLE = "Grant.Create";

export interface LinkRequest {
  readonly clientAuthentication: Exclude<ClientAuthentication, { method: "subject_itself" }> | undefined;
  /** Name of the policy entry that the grant is for. Default for an application: its own entry. */
  readonly caller: string | undefined;
  readonly apis: SignInInput["apis"];
  /** `oid` of the only user who may use the link. */
  readonly expectedUser: string | undefined;
  /** A claims challenge of Entra (JSON text) that the sign-in must satisfy. */
  readonly claims: string | undefined;
}

export interface SignInUrl {
  readonly url: string;
  readonly expiresAtSeconds: number;
}

export async function createLink(
  context: SignInContext,
  request: LinkRequest,
  audit: AuditTrail,
): Promise<Result<SignInUrl, Failure>> {
  const caller = await authenticate(context, request.clientAuthentication, audit);
  if (!caller.ok) return caller;
  const entry = entryOfLink(context, caller.value, request.caller);
  if (!entry.ok) return entry;
  const { apis, expectedUser, claims } = request;
  const clientId = caller.value.kind === "application" ? caller.value.clientId : entry.value.clientId;
  // The entry of a blueprint names no application. Only its agents can request links, each for itself.
  if (clientId === undefined)
    return fail({ kind: "request_invalid", problem: "parameter_invalid", parameter: "caller" });
  const link = await sealLink(context, { entry: entry.value, clientId, apis, expectedUser, claims, audit });
  return link.ok || caller.value.kind === "application" ? link : fail(withoutEntry(link.failure));
}

export interface LinkContent {
  readonly entry: CallerRule;
  /** The application that will hold the grant: for the entry of a blueprint, one of its agents. */
  readonly clientId: string;
  readonly apis: SignInInput["apis"];
  readonly expectedUser: string | undefined;
  readonly claims: string | undefined;
  readonly audit: AuditTrail;
}

/** Seals a link after policy has decided. */
export async function sealLink(
  context: Pick<SignInContext, "policy" | "signIn" | "nowSeconds" | "registrations">,
  { entry, clientId, apis, expectedUser, claims, audit }: LinkContent,
): Promise<Result<SignInUrl, Failure>> {
  const { blueprint } = entry;
  const decision = decideSignIn(context.policy, { entry: entry.name, clientId, blueprint, apis });
  if (!decision.ok) return fail({ kind: "policy_refused", ...decision.failure });
  const { policy, registrations } = context;
  const registration = registrationIdOf(policy, entry) ?? registrations.default.clientId;
  const target = toTarget(decision.value, { clientId, blueprint, registration });
  audit.add(requestedFacts(decision.value, target.apis));
  const expiresAtSeconds = context.nowSeconds() + LINK_SECONDS;
  const sealed = await (await context.signIn.sealedState()).links.seal({ target, expectedUser, claims });
  return sealed.ok
    ? succeed({ url: `${context.signIn.serviceUrl}/signin/${sealed.value}`, expiresAtSeconds })
    : fromStateFailure(sealed.failure, { invalid: "too_large", expired: "too_large" });
}

// ---------------------------------------------------------------------------------------------------------------

/** The list of the entry belongs to the application, not to the person who requests a link for it. */
function withoutEntry(failure: Failure): Failure {
  if (failure.kind !== "policy_refused") return failure;
  const { listed: _, ...refused } = failure;
  return refused;
}

/** An application creates links for itself only; a person with the role, for any application in the policy. */
function entryOfLink(
  context: SignInContext,
  caller: Caller,
  requested: string | undefined,
): Result<CallerRule, Failure> {
  if (caller.kind === "user") return entryForOther(context, caller, requested);
  const { policy } = context;
  const own = entryFor(policy, caller);
  if (own === undefined) return fail({ kind: "policy_refused", ...noEntry(policy, caller) });
  if (own.requireConfidentialClient && !caller.confidential) {
    return fail({ kind: "policy_refused", reason: "public_client", ...named(own) });
  }
  return requested === undefined || requested === own.name
    ? succeed(own)
    : fail({
        kind: "policy_refused",
        reason: "link_caller_not_own",
        ...named(own),
        requested: [requested],
        listed: [own.name],
      });
}

function entryForOther(
  { policy, registrations }: SignInContext,
  caller: Caller,
  requested: string | undefined,
): Result<CallerRule, Failure> {
  if (!hasOperatorRole(caller, LINK_ROLE, registrations)) {
    return fail({ kind: "policy_refused", reason: "role_required", listed: [LINK_ROLE] });
  }
  if (requested === undefined) {
    return fail({ kind: "request_invalid", problem: "parameter_missing", parameter: "caller" });
  }
  const entry = policy.callers.find(({ name }) => name === requested);
  return entry === undefined ? fail({ kind: "policy_refused", reason: "caller_not_listed" }) : succeed(entry);
}
