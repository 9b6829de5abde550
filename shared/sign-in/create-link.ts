/**
 * `POST /signin/links`: an application asks for a link by which a person makes a grant for it; or a person with the role
 * `Grant.Create` asks for one on an application's behalf. The link says who, which APIs and which scopes, sealed; who
 * opens it can change nothing, and nothing is granted until that person has confirmed it on a page of ours.
 */

import type { AuditTrail } from "../audit/audit-trail.ts";
import { requestedFacts } from "../audit/requested-facts.ts";
import { authenticate } from "../caller/authenticate.ts";
import type { Caller } from "../caller/caller.ts";
import type { ClientAuthentication } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { LINK_SECONDS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { decideSignIn } from "../policy/decide.ts";
import { entryFor, type SignInInput } from "../policy/evaluate.ts";
import type { CallerRule } from "../policy/rules.ts";
import { fromStateFailure, type SignInContext } from "./sign-in-context.ts";
import { toTarget } from "./target.ts";

/** App role of this service's registration: may make links for applications of the policy. */
export const LINK_ROLE = "Grant.Create";

export interface LinkRequest {
  readonly clientAuthentication: Exclude<ClientAuthentication, { method: "subject_itself" }> | undefined;
  /** Name of the policy entry that the grant is for. An application may leave it out: itself. */
  readonly caller: string | undefined;
  readonly apis: SignInInput["apis"];
  /** `oid` of the only person that may use the link. */
  readonly expectedUser: string | undefined;
  /** A demand of Entra's (JSON text) that the sign-in shall meet. */
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
  return sealLink(context, { entry: entry.value, apis, expectedUser, claims, audit });
}

export interface LinkContent {
  readonly entry: CallerRule;
  readonly apis: SignInInput["apis"];
  readonly expectedUser: string | undefined;
  readonly claims: string | undefined;
  readonly audit: AuditTrail;
}

/** Decides, and seals what was decided. */
export async function sealLink(
  context: Pick<SignInContext, "policy" | "signIn" | "nowSeconds">,
  { entry, apis, expectedUser, claims, audit }: LinkContent,
): Promise<Result<SignInUrl, Failure>> {
  const { clientId } = entry;
  const decision = decideSignIn(context.policy, { entry: entry.name, clientId, apis });
  if (!decision.ok) return fail({ kind: "policy_refused", ...decision.failure });
  const target = toTarget(decision.value, clientId);
  audit.add(requestedFacts(target.entry, target.apis));
  const expiresAtSeconds = context.nowSeconds() + LINK_SECONDS;
  const sealed = await (await context.signIn.sealedState()).links.seal({ target, expectedUser, claims });
  return sealed.ok
    ? succeed({ url: `${context.signIn.serviceUrl}/signin/${sealed.value}`, expiresAtSeconds })
    : fromStateFailure(sealed.failure, { invalid: "too_large", expired: "too_large" });
}

/** An application makes links for itself; a person with the role, for any application in the policy. */
function entryOfLink(
  { policy }: SignInContext,
  caller: Caller,
  named: string | undefined,
): Result<CallerRule, Failure> {
  if (caller.kind === "user") return entryForOther(policy.callers, caller, named);
  const own = entryFor(policy, caller);
  if (own === undefined) return fail({ kind: "policy_refused", reason: "caller_not_listed" });
  if (own.requireConfidentialClient && !caller.confidential) {
    return fail({ kind: "policy_refused", reason: "public_client", entry: own.name });
  }
  return named === undefined || named === own.name
    ? succeed(own)
    : fail({ kind: "policy_refused", reason: "link_caller_not_own", entry: own.name });
}

function entryForOther(
  callers: readonly CallerRule[],
  { roles }: Caller,
  named: string | undefined,
): Result<CallerRule, Failure> {
  if (!roles.includes(LINK_ROLE)) return fail({ kind: "policy_refused", reason: "role_required" });
  if (named === undefined) return fail({ kind: "request_invalid", problem: "parameter_missing", parameter: "caller" });
  const entry = callers.find(({ name }) => name === named);
  return entry === undefined ? fail({ kind: "policy_refused", reason: "caller_not_listed" }) : succeed(entry);
}
