/**
 * A cached token that is still valid, or a new one from Entra. Policy has decided before this stage; the release check
 * follows it for every token, cached or new.
 */
import { cacheKey, familyKey, type TokenIdentity } from "../cache/cache-key.ts";
import type { WiderTokens } from "../cache/look-up.ts";
import type { CacheAnswer, TokenCache } from "../cache/token-cache.ts";
import type { Caller } from "../caller/caller.ts";
import type { ExchangeRequest, TokenParameters } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { identityKey } from "../core/user-identity.ts";
import type { Registration, Registrations } from "../entra/registration.ts";
import type { FlowContext } from "../flows/flow.ts";
import type { Subject } from "../flows/flows.ts";
import { flowFor } from "../flows/flows.ts";
import type { OfflineAccess } from "../offline-access/offline-access.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import type { RevocableToken } from "../revocation/marks-of.ts";
import type { RefusedRequest } from "../revocation/refused-by-entra.ts";
import type { Revocations } from "../revocation/revocations.ts";
import { refusalKey } from "../throttling/refusal-memory.ts";
import { spendBudget, spendMiss, type ThrottlingContext, throttledCall } from "../throttling/throttled-call.ts";
import type { CodeRedemptions } from "./code-redemptions.ts";
import { coversRequest } from "./release-scopes.ts";

export interface AcquireContext extends ThrottlingContext {
  readonly tenantId: string;
  readonly allowGuests: boolean;
  readonly cache: TokenCache;
  readonly registrations: Registrations;
  /** Undefined unless an application registration is configured. */
  readonly applicationOnly: Registration | undefined;
  readonly grants: Pick<OfflineAccess, "redeemed">;
  readonly codes: CodeRedemptions;
  readonly revocations: Pick<Revocations, "mayUse" | "heard">;
  /** See `FlowContext`. */
  readonly onOtherUser: FlowContext["onOtherUser"];
}

export interface Acquisition {
  readonly request: ExchangeRequest;
  readonly caller: Caller;
  readonly subject: Subject;
  readonly entitlement: Entitlement;
}

export async function acquireToken(
  context: AcquireContext,
  acquisition: Acquisition,
): Promise<Result<CacheAnswer, Failure>> {
  const { caller, subject, entitlement } = acquisition;
  // Entra exchanges a token only for the registration that it was issued for: policy has checked that it is the entry's.
  const registration =
    subject.source === "application" ? context.applicationOnly : context.registrations.find(caller.registration);
  if (registration === undefined) {
    const { entry, registration: name } = entitlement;
    return fail({ kind: "policy_refused", reason: "flow_not_allowed", entry, registration: name });
  }
  const acquired = await acquireAs(context, acquisition, registration);
  return acquired.ok ? acquired : fail(withPresentation(acquired.failure, subject));
}

// ---------------------------------------------------------------------------------------------------------------

async function acquireAs(
  context: AcquireContext,
  acquisition: Acquisition,
  registration: Registration,
): Promise<Result<CacheAnswer, Failure>> {
  const { request, caller, subject, entitlement } = acquisition;
  const { tokenParameters, correlationId, trace } = request;
  const { claims, minimumSeconds } = tokenParameters;
  const flow = flowFor(subject);
  const key = keyFor(context, registration, entitlement, flow.identity);
  // Made on demand: a cache hit needs neither these names nor the digest in them.
  const entraCall = () => ({
    registration,
    entitlement,
    api: entitlement.api.name,
    user: userKey(caller, subject),
    refusalKey: key === undefined ? undefined : refusalKey({ cacheKey: key, entry: entitlement.entry, claims }),
  });
  const bypass = entitlement.offlineAccess || claims !== undefined || tokenParameters.forceRefresh;
  const refused = bypass || key === undefined ? spendBudget(context, entraCall()) : undefined;
  if (refused !== undefined) return fail(refused);

  const token: TokenRequest = { caller, subject, entitlement, registration: registration.clientId };
  const callEntra = (hadToken = false) =>
    throttledCall(context, entraCall(), async () => {
      const entra = await registration.entra();
      const { grants, allowGuests, onOtherUser } = context;
      const flowContext = { entra, allowGuests, grantRedeemed: grants.redeemed, onOtherUser };
      const acquired = await flow.acquire(flowContext, { entitlement, claims, correlationId, trace });
      if (!acquired.ok && isAboutEarlierTokens(acquired.failure, hadToken))
        context.revocations.heard(acquired.failure, toRefusedRequest(token));
      return acquired;
    });
  if (subject.source === "code") {
    const { entraCode } = subject.code;
    const code = { entraCode, needsRefreshToken: entitlement.offlineAccess };
    const redeemed = await context.codes.redeem(code, callEntra);
    return redeemed.ok ? succeed({ token: redeemed.value, level: "bypass" }) : redeemed;
  }
  if (key === undefined || !isCacheable(entitlement, tokenParameters)) {
    const acquired = await callEntra();
    return acquired.ok ? succeed({ token: acquired.value, level: "bypass" }) : acquired;
  }
  const onMiss = async (hadToken: boolean) => {
    const spent = bypass ? undefined : spendMiss(context, entraCall());
    return spent === undefined ? callEntra(hadToken) : fail(spent);
  };
  const wider = widerTokens(context, acquisition, registration, flow.identity);
  const mayUse = (acquiredAtSeconds: number) => context.revocations.mayUse(token, acquiredAtSeconds);
  const lookUp = { key, minimumSeconds, bypass, notAfterSeconds: flow.notAfterSeconds, wider, mayUse };
  return context.cache.getOrAcquire(lookUp, onMiss);
}

/** Undefined: an application's token, whose scopes Entra does not return. */
function widerTokens(
  { tenantId }: AcquireContext,
  { request, caller, subject, entitlement }: Acquisition,
  { clientId }: Registration,
  identity: TokenIdentity | undefined,
): WiderTokens | undefined {
  if (identity === undefined || identity.kind === "application") return undefined;
  const { flow, api, cae, entry } = entitlement;
  const { resource } = api;
  const parts = { tenantId, registration: clientId, flow, resource, cae, identity };
  return {
    family: () => familyKey({ ...parts, entry, callerClientId: caller.clientId }),
    covers: (scopes) => coversRequest(request, subject, entitlement, scopes),
  };
}

type TokenRequest = RevocableToken & Pick<Acquisition, "subject">;

/**
 * Consent that is missing for scopes of no earlier token says nothing about the earlier tokens. Otherwise a request for a
 * scope that was never consented would end the cached tokens of all callers of that person.
 */
function isAboutEarlierTokens(failure: Failure, hadToken: boolean): boolean {
  return hadToken || failure.kind !== "entra_refused" || failure.verdict !== "consent_required";
}

/** Whose earlier tokens a refusal of this request is about. */
function toRefusedRequest({ subject, entitlement, registration }: TokenRequest): RefusedRequest {
  const request = { registration, api: entitlement.api.name, person: undefined, grantId: undefined };
  switch (subject.source) {
    case "user":
      return { ...request, person: subject.user.objectId };
    case "grant":
      return { ...request, person: subject.grant.grant.user.objectId, grantId: subject.grant.grant.id };
    default:
      return request;
  }
}

/** Undefined: the flow's tokens have no identity, so no cache may hold them. */
function keyFor(
  { tenantId }: AcquireContext,
  { clientId }: Registration,
  { flow, api, scopes, cae }: Entitlement,
  identity: TokenIdentity | undefined,
): string | undefined {
  return identity === undefined
    ? undefined
    : cacheKey({ tenantId, registration: clientId, flow, resource: api.resource, scopes, cae, identity });
}

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
