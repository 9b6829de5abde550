/**
 * A cached token that is still valid, or a new one from Entra. Policy has decided before this stage; the release check
 * follows it for every token, cached or new.
 */
import { cacheKey } from "../cache/cache-key.ts";
import type { CacheAnswer, TokenCache } from "../cache/token-cache.ts";
import type { Caller } from "../caller/caller.ts";
import type { ExchangeRequest, TokenParameters } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { identityKey } from "../core/user-identity.ts";
import type { Registration } from "../entra/registration.ts";
import type { Subject } from "../flows/flows.ts";
import { flowFor } from "../flows/flows.ts";
import type { OfflineAccess } from "../offline-access/offline-access.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import { spendBudget, type ThrottlingContext, throttledCall } from "../throttling/throttled-call.ts";

export interface AcquireContext extends ThrottlingContext {
  readonly tenantId: string;
  readonly allowGuests: boolean;
  readonly cache: TokenCache;
  readonly delegated: Registration;
  /** Undefined unless an application registration is configured. */
  readonly applicationOnly: Registration | undefined;
  readonly grants: Pick<OfflineAccess, "redeemed">;
}

export interface Acquisition {
  readonly request: ExchangeRequest;
  readonly caller: Caller;
  readonly subject: Subject;
  readonly entitlement: Entitlement;
}

export async function acquireToken(
  context: AcquireContext,
  { request, caller, subject, entitlement }: Acquisition,
): Promise<Result<CacheAnswer, Failure>> {
  const registration = subject.source === "application" ? context.applicationOnly : context.delegated;
  if (registration === undefined) {
    return fail({ kind: "policy_refused", reason: "flow_not_allowed", entry: entitlement.entry });
  }
  const { tokenParameters, correlationId, trace } = request;
  const flow = flowFor(subject);
  const user = userKey(caller, subject);
  const bypass = entitlement.offlineAccess || tokenParameters.claims !== undefined || tokenParameters.forceRefresh;
  const refused = bypass || flow.identity === undefined ? spendBudget(context, { entitlement, user }) : undefined;
  if (refused !== undefined) return fail(refused);

  const callEntra = () =>
    throttledCall(context, { registration, entitlement, user }, async () => {
      const entra = await registration.entra();
      const { grants, allowGuests } = context;
      const flowContext = { entra, allowGuests, grantRedeemed: grants.redeemed };
      return flow.acquire(flowContext, { entitlement, claims: tokenParameters.claims, correlationId, trace });
    });
  if (flow.identity === undefined || !isCacheable(entitlement, tokenParameters)) {
    const token = await callEntra();
    return token.ok ? succeed({ token: token.value, level: "bypass" }) : token;
  }
  const key = cacheKey({
    tenantId: context.tenantId,
    registration: registration.clientId,
    flow: entitlement.flow,
    resource: entitlement.api.resource,
    scopes: entitlement.scopes,
    cae: entitlement.cae,
    identity: flow.identity,
  });
  const { minimumSeconds } = tokenParameters;
  const lookUp = { key, minimumSeconds, bypass, notAfterSeconds: flow.notAfterSeconds };
  const acquired = await context.cache.getOrAcquire(lookUp, callEntra);
  return acquired.ok ? acquired : fail(withPresentation(acquired.failure, subject));
}

// ---------------------------------------------------------------------------------------------------------------

/** Callers share one call to Entra, but each gets the failure in the terms of how it presented its own token. */
function withPresentation(failure: Failure, subject: Subject): Failure {
  return failure.kind === "entra_refused" && subject.source === "user"
    ? { ...failure, presentedAs: subject.presentedAs }
    : failure;
}

/**
 * Not cacheable: a request for a grant, because it needs Entra's refresh token and no cache holds one; and an
 * application token with claims, because all applications share one entry and the claims are one application's own.
 */
function isCacheable({ flow, offlineAccess }: Entitlement, { claims }: TokenParameters): boolean {
  return !offlineAccess && (flow !== "client-credentials" || claims === undefined);
}

/** Names the user in budgets and in the throttle memory; without a user, the calling application. */
function userKey(caller: Caller, subject: Subject): string {
  switch (subject.source) {
    case "user":
      return identityKey(subject.user);
    case "grant":
      return identityKey(subject.grant.grant.user);
    case "code":
      return `code ${subject.code.nonce}`;
    case "imported":
    case "application":
      return identityKey(caller);
  }
}
