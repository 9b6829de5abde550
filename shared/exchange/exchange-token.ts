/**
 * The request path, from a token request to a token. Every stage in order, one early return each:
 *
 *   authenticate and resolve the subject   who calls, and on whose behalf      caller/, grants/
 *   entitle                                what policy allows this caller      policy/
 *   acquire                                a cached token, or a call to Entra  cache/, flows/ → entra/ → outbound/
 *   release                                returned scopes ⊆ the caller's list policy/  (in the relay: of a grant)
 *   issue a grant                          if requested and allowed            offline-access/ → grants/
 *
 * No stage before `entitle` calls Entra on the caller's behalf. No stage after it widens what policy allowed.
 */

import type { AuditTrail } from "../audit/audit-trail.ts";
import { requestedFacts } from "../audit/requested-facts.ts";
import type { CacheLevel } from "../cache/token-cache.ts";
import type { AuthenticationContext } from "../caller/authenticate.ts";
import type { Caller } from "../caller/caller.ts";
import type { ApiScopes } from "../core/api-scopes.ts";
import type { ExchangeRequest, TokenParameters } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import type { GrantEvents } from "../core/grant-event.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import { aboutGrant } from "../events/about-grant.ts";
import type { Subject } from "../flows/flows.ts";
import { issueRequestedGrant } from "../offline-access/issue-grant.ts";
import type { OfflineAccess } from "../offline-access/offline-access.ts";
import type { IssuedGrant } from "../offline-access/store-grant.ts";
import { decide } from "../policy/decide.ts";
import type { ApiAllowance, Entitlement } from "../policy/entitlement.ts";
import type { Policy } from "../policy/rules.ts";
import type { UnsealedCode } from "../sealed-state/authorization-code.ts";
import { offerLinkForGrant, offerSignIn } from "../sign-in/offer-sign-in.ts";
import type { SignInState } from "../sign-in/sign-in-context.ts";
import { type AcquireContext, acquireToken } from "./acquire-token.ts";
import { releaseScopes } from "./release-scopes.ts";
import { type AuthenticatedRequest, resolveSubject } from "./resolve-subject.ts";

/** What the stages need of the service. The composition root makes one. */
export interface ExchangeContext extends AuthenticationContext, AcquireContext {
  readonly policy: Policy;
  readonly grants: OfflineAccess;
  readonly events: GrantEvents;
  /** Undefined: no policy entry uses a sign-in. */
  readonly signIn: SignInState | undefined;
}

/** A token that may leave the service, with everything that a response says about it. */
export interface Exchange {
  readonly caller: Caller;
  readonly entitlement: Entitlement;
  readonly token: EntraToken;
  /** When the caller should request the next token: until then the service may release this one; seconds since 1970. */
  readonly usableUntilSeconds: number;
  /** True scopes of the token, bare. */
  readonly scopes: readonly string[];
  readonly cache: CacheLevel;
  /** The grant that was issued or redeemed. */
  readonly grant: IssuedGrant | undefined;
}

/** Runs the path. Expected failures are values; only a bug throws. `audit` receives the facts of the audit event. */
export async function exchangeToken(
  context: ExchangeContext,
  request: ExchangeRequest,
  audit: AuditTrail,
): Promise<Result<Exchange, Failure>> {
  const authenticated = await resolveSubject(context, request, audit);
  if (!authenticated.ok) return fail(await offerLinkForGrant(context, authenticated.failure, presentedHandle(request)));
  const { caller, subject } = authenticated.value;

  const decision = entitle(context, request, authenticated.value, audit);
  if (!decision.ok) return decision;
  const entitlement = decision.value;

  const acquired = await acquireToken(context, { request, caller, subject, entitlement });
  if (!acquired.ok) {
    const [isFirstDeath, failure] = await Promise.all([
      recordRefusal(context, authenticated.value, acquired.failure, audit),
      offerSignIn(context, authenticated.value, withFlow(acquired.failure, entitlement)),
    ]);
    if (isFirstDeath) reportDeadGrant(context, subject, failure);
    return fail(failure);
  }
  const { token, level, warning } = acquired.value;
  audit.add({ cache: level, scopesReturned: token.scopes, ...(warning === undefined ? {} : { warning }) });
  if (subject.source === "code" && token.user !== undefined) audit.add({ subjectObjectId: token.user.objectId });

  const scopes = releaseScopes(request, subject, entitlement, token.scopes);
  if (!scopes.ok) {
    await recordRefusal(context, authenticated.value, scopes.failure, audit);
    return scopes;
  }

  const issue = { caller, subject, entitlement, token, scopes: scopes.value, audit };
  const grant = await issueRequestedGrant(context, issue, request);
  if (!grant.ok) return grant;

  const usableUntilSeconds = usableUntil(token, subject, entitlement);
  return succeed({
    caller,
    entitlement,
    token,
    usableUntilSeconds,
    scopes: scopes.value,
    cache: level,
    grant: grant.value,
  });
}

// ---------------------------------------------------------------------------------------------------------------

function presentedHandle({ grantRequest }: ExchangeRequest): SecretValue | undefined {
  return grantRequest.flow === "refresh-token" && grantRequest.presented === "handle"
    ? grantRequest.refreshToken
    : undefined;
}

/** Asks policy about this request and records its decision. */
function entitle(
  context: ExchangeContext,
  request: ExchangeRequest,
  { caller, subject }: AuthenticatedRequest,
  audit: AuditTrail,
): Result<Entitlement, Failure> {
  const decision = decide(context.policy, {
    caller,
    flow: request.grantRequest.flow,
    tokenParameters: request.tokenParameters,
    ...(request.relay === undefined ? {} : { relay: request.relay }),
    ...(subject.source === "user" ? { subject: subject.user } : {}),
    ...(subject.source === "grant" ? { given: subject.grant.grant.apis } : {}),
    ...(subject.source === "code" ? fromPushedRequest(request.tokenParameters, subject.code) : {}),
  });
  if (!decision.ok) return fail({ kind: "policy_refused", ...decision.failure });
  const { api, scopes, also, downstream } = decision.value;
  audit.add(requestedFacts(decision.value, [{ api: api.name, scopes }, ...also.map(toScopes)]));
  if (downstream !== undefined) audit.add({ relayRule: downstream.rule });
  return decision;
}

/**
 * A code request (RFC 6749 section 4.1.3) carries no scopes, so policy decides again about those of the pushed request.
 */
function fromPushedRequest(
  tokenParameters: TokenParameters,
  { apis, offlineAccess, redirectUri, bound }: UnsealedCode,
) {
  return {
    given: apis,
    ...(bound === undefined ? {} : { bound }),
    redirectUri,
    tokenParameters: { ...tokenParameters, offlineAccess },
  };
}

/**
 * The token may be released until the token that the user presented expires, even if Entra's token lives longer. A
 * long-lived token (`cae`) is the exception: the API itself challenges it.
 */
function usableUntil({ expiresAtSeconds }: EntraToken, subject: Subject, { cae }: Entitlement): number {
  return subject.source === "user" && !cae
    ? Math.min(expiresAtSeconds, subject.user.expiresAtSeconds)
    : expiresAtSeconds;
}

/**
 * What a refusal means for a grant: its row says why its redemption failed, and a code that was used before ends the grant
 * that its first use made (RFC 6749 section 4.1.2; Entra redeems a code once, whichever instance presents it). Returns
 * whether the grant's death is in its row now and was not before.
 */
async function recordRefusal(
  { grants }: ExchangeContext,
  { caller, subject }: AuthenticatedRequest,
  failure: Failure,
  audit: AuditTrail,
): Promise<boolean> {
  if (subject.source === "grant") return grants.refused(subject.grant, failure);
  const isUsedCode = failure.kind === "entra_refused" && failure.verdict === "code_refused";
  if (subject.source === "code" && isUsedCode) await grants.codeReplayed(subject.code, caller, audit);
  return false;
}

/** What resolves a refusal of Entra depends on the flow. */
function withFlow(failure: Failure, { flow }: Entitlement): Failure {
  return failure.kind === "entra_refused" ? { ...failure, flow } : failure;
}

/** The link in the event is bound to the grant's person. */
function reportDeadGrant({ events }: ExchangeContext, subject: Subject, failure: Failure): void {
  if (subject.source !== "grant" || failure.kind !== "entra_refused") return;
  const { verdict: reason, signIn } = failure;
  events.publish(aboutGrant("dead", subject.grant.grant, { reason, signInUrl: signIn?.url }));
}

function toScopes({ api, scopes }: ApiAllowance): ApiScopes {
  return { api: api.name, scopes };
}
