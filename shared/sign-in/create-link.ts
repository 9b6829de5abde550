/**
 * `POST /signin/links`: an application requests a link with which a person creates a grant for it. A person with the
 * role `Grant.Create` may request one for any application in the policy. The link contains the application, the APIs
 * and the scopes, sealed, so the person who opens it cannot change them. The answer has the handle of the grant as well.
 * It becomes live only after that person approves it on the confirmation page; no browser ever gets it.
 */

import type { AuditTrail } from "../audit/audit-trail.ts";
import { authenticate } from "../caller/authenticate.ts";
import type { Caller } from "../caller/caller.ts";
import { hasOperatorRole } from "../caller/operator-role.ts";
import type { ClientAuthentication } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { LINK_SECONDS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import { toRequester } from "../offline-access/requester.ts";
import { decideSignIn } from "../policy/decide.ts";
import type { SignInInput } from "../policy/evaluate.ts";
import { entryFor, named, noEntry } from "../policy/find-entry.ts";
import { registrationIdOf } from "../policy/registrations.ts";
import type { CallerRule } from "../policy/rules.ts";
import type { SignInLink, Target } from "../sealed-state/sealed-state.ts";
import { fromStateFailure, type SignInContext } from "./sign-in-context.ts";
import { targetFacts, toTarget } from "./target.ts";

/** App role of this service's default registration: may create links for any application in the policy. */
const LINK_ROLE = "Grant.Create";

/**
 * Each link writes a row that stays for `REQUESTED_GRANT_SECONDS`. For each policy entry and instance: enough for an administrator who
 * sends links to a whole company in an afternoon.
 */
const LINKS_PER_MINUTE = 60;

export interface LinkRequest {
  readonly clientAuthentication: Exclude<ClientAuthentication, { method: "subject_itself" }> | undefined;
  /** Name of the policy entry that the grant is for. Default for an application: its own entry. */
  readonly caller: string | undefined;
  readonly apis: SignInInput["apis"];
  /** `oid` of the only user who may use the link. */
  readonly expectedUser: string | undefined;
  /** A claims challenge of Entra (JSON text) that the sign-in must satisfy. */
  readonly claims: string | undefined;
  /** S256 challenge: the handle becomes live only with its verifier. */
  readonly codeChallenge: string | undefined;
}

export interface SignInUrl {
  readonly url: string;
  readonly expiresAtSeconds: number;
}

export interface CreatedLink extends SignInUrl {
  /** The handle of the grant that the link asks for. */
  readonly handle: SecretValue;
}

export async function createLink(
  context: SignInContext,
  request: LinkRequest,
  audit: AuditTrail,
): Promise<Result<CreatedLink, Failure>> {
  const caller = await authenticate(context, request.clientAuthentication, audit);
  if (!caller.ok) return caller;
  const entry = entryOfLink(context, caller.value, request.caller);
  if (!entry.ok) return entry;
  const clientId = caller.value.kind === "application" ? caller.value.clientId : entry.value.clientId;
  // The entry of a blueprint names no application. Only its agents can request links, each for itself.
  if (clientId === undefined)
    return fail({ kind: "request_invalid", problem: "parameter_invalid", parameter: "caller" });
  const wanted = { entry: entry.value, clientId, apis: request.apis };
  const target = targetOfLink(context, wanted);
  if (!target.ok) return caller.value.kind === "application" ? target : fail(withoutEntry(target.failure));
  audit.add(targetFacts(context.policy, target.value));
  const limited = spendLink(context, entry.value);
  if (limited !== undefined) return fail(limited);
  return requestGrant(context, { ...wanted, caller: caller.value, target: target.value, request, audit });
}

type LinkContext = Pick<SignInContext, "policy" | "signIn" | "nowSeconds" | "registrations">;

interface WantedLink {
  readonly entry: CallerRule;
  /** The application that will hold the grant: for the entry of a blueprint, one of its agents. */
  readonly clientId: string;
  readonly apis: SignInInput["apis"];
}

/** What the link asks for, if policy allows it. */
export function targetOfLink(
  { policy, registrations }: Pick<LinkContext, "policy" | "registrations">,
  { entry, clientId, apis }: WantedLink,
): Result<Target, Failure> {
  const { blueprint } = entry;
  const decision = decideSignIn(policy, { entry: entry.name, clientId, blueprint, apis });
  if (!decision.ok) return fail({ kind: "policy_refused", ...decision.failure });
  const registration = registrationIdOf(policy, entry) ?? registrations.default.clientId;
  return succeed(toTarget(decision.value, { clientId, blueprint, registration }));
}

/** The entry's `linkMinutes` count only for a link that names its person. */
export async function sealLink(
  { signIn, nowSeconds }: LinkContext,
  { linkMinutes }: CallerRule,
  content: SignInLink,
): Promise<Result<SignInUrl, Failure>> {
  const ofEntry = linkMinutes * 60;
  const seconds = content.expectedUser === undefined ? Math.min(ofEntry, LINK_SECONDS) : ofEntry;
  const expiresAtSeconds = nowSeconds() + seconds;
  const sealed = await (await signIn.sealedState()).links.seal(content, seconds);
  return sealed.ok
    ? succeed({ url: `${signIn.serviceUrl}/signin/${sealed.value}`, expiresAtSeconds })
    : fromStateFailure(sealed.failure, { invalid: "too_large", expired: "too_large" });
}

// ---------------------------------------------------------------------------------------------------------------

function spendLink({ requestBudget }: Pick<SignInContext, "requestBudget">, { name }: CallerRule): Failure | undefined {
  const retryAfterSeconds = requestBudget.take(`links ${name}`, LINKS_PER_MINUTE);
  return retryAfterSeconds === undefined
    ? undefined
    : {
        kind: "too_many_requests",
        quota: { name: "links", limit: LINKS_PER_MINUTE, windowSeconds: 60 },
        retryAfterSeconds,
      };
}

interface RequestGrant extends WantedLink {
  readonly caller: Caller;
  readonly target: Target;
  readonly request: LinkRequest;
  readonly audit: AuditTrail;
}

/** Makes the handle and the link. Unless the entry says otherwise, the link names its person or its session. */
async function requestGrant(
  context: SignInContext,
  { caller, entry, clientId, apis, target, request, audit }: RequestGrant,
): Promise<Result<CreatedLink, Failure>> {
  const { expectedUser, claims, codeChallenge } = request;
  if (expectedUser === undefined && codeChallenge === undefined && !entry.anyPersonMayAllow) {
    return fail({ kind: "request_invalid", problem: "parameter_missing", parameter: "expectedUser" });
  }
  const requested = await context.grants.request({
    binding: { kind: "application", tenantId: context.tenantId, clientId },
    registration: target.registration,
    policyEntry: entry.name,
    requestedBy: toRequester(caller),
    apis,
    expectedUser,
    claims,
    codeChallenge,
  });
  if (!requested.ok) return requested;
  const { id: grantId, secret } = requested.value;
  audit.add({ grantId });
  const link = await sealLink(context, entry, {
    target,
    claims,
    expectedUser,
    handle: secret.reveal(),
    heals: false,
  });
  return link.ok ? succeed({ ...link.value, handle: secret }) : link;
}

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
