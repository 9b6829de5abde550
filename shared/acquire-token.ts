/**
 * Stages 3 and 4 of the story: a token that is still good, or else one from Entra. Policy has decided before; the
 * release check follows for every token, kept or new.
 */
import { askEntra, type EntraGuards, takeBypass } from "./ask-entra.ts";
import { cacheKey, identityKey } from "./cache/cache-key.ts";
import type { CacheAnswer, TokenCache } from "./cache/token-cache.ts";
import type { Caller } from "./caller/caller.ts";
import type { ExchangeRequest, Wish } from "./exchange-request.ts";
import type { Failure } from "./failure.ts";
import { flowFor } from "./flows/flows.ts";
import type { GrantKeeper } from "./keep-grant.ts";
import type { Permission } from "./permission.ts";
import type { Entitlement } from "./policy/entitlement.ts";
import type { Registration } from "./registration.ts";
import { fail, type Result, succeed } from "./result.ts";

export interface Acquirers extends EntraGuards {
  readonly tenantId: string;
  readonly allowGuests: boolean;
  readonly cache: TokenCache;
  readonly delegated: Registration;
  /** Undefined unless an application registration is configured. */
  readonly applicationOnly: Registration | undefined;
  readonly grants: Pick<GrantKeeper, "redeemed">;
}

export interface Acquisition {
  readonly request: ExchangeRequest;
  readonly caller: Caller;
  readonly permission: Permission;
  readonly entitlement: Entitlement;
}

export async function acquireToken(
  acquirers: Acquirers,
  { request, caller, permission, entitlement }: Acquisition,
): Promise<Result<CacheAnswer, Failure>> {
  const registration = permission.source === "application" ? acquirers.applicationOnly : acquirers.delegated;
  if (registration === undefined) {
    return fail({ kind: "policy_refused", reason: "flow_not_allowed", entry: entitlement.entry });
  }
  const { wish, correlationId, trace } = request;
  const flow = flowFor(permission);
  const user = whose(caller, permission);
  const bypass = entitlement.offlineAccess || wish.claims !== undefined || wish.forceRefresh;
  const refused = bypass || flow.identity === undefined ? takeBypass(acquirers, { entitlement, user }) : undefined;
  if (refused !== undefined) {
    return fail(refused);
  }
  const ask = () =>
    askEntra(acquirers, { registration, entitlement, user }, async () => {
      const entra = await registration.entra();
      const { grants, allowGuests } = acquirers;
      const dependencies = { entra, allowGuests, grantRedeemed: grants.redeemed };
      return flow.acquire(dependencies, { entitlement, claims: wish.claims, correlationId, trace });
    });
  if (flow.identity === undefined || !mayBeKept(entitlement, wish)) {
    const token = await ask();
    return token.ok ? succeed({ token: token.value, level: "bypass" }) : token;
  }
  const key = cacheKey({
    tenantId: acquirers.tenantId,
    registration: registration.clientId,
    flow: entitlement.flow,
    resource: entitlement.api.resource,
    scopes: entitlement.scopes,
    cae: entitlement.cae,
    identity: flow.identity,
  });
  const lookUp = { key, minimumSeconds: wish.minimumSeconds, bypass, notAfterSeconds: flow.notAfterSeconds };
  const acquired = await acquirers.cache.getOrAcquire(lookUp, ask);
  return acquired.ok ? acquired : fail(inOwnWords(acquired.failure, permission));
}

/** A call to Entra is shared by all who wish the same; how each presented its token is its own. */
function inOwnWords(failure: Failure, permission: Permission): Failure {
  return failure.kind === "entra_refused" && permission.source === "user"
    ? { ...failure, presentedAs: permission.presentedAs }
    : failure;
}

/**
 * Whoever wants a grant needs Entra's refresh token, which no cache keeps; and all applications share one entry, so what
 * one asked for with claims is not for the others.
 */
function mayBeKept({ flow, offlineAccess }: Entitlement, { claims }: Wish): boolean {
  return !offlineAccess && (flow !== "client-credentials" || claims === undefined);
}

/** The user where there is one, each sign-in its own, else the calling application. */
function whose(caller: Caller, permission: Permission): string {
  switch (permission.source) {
    case "user":
      return identityKey(permission.subject);
    case "grant":
      return identityKey(permission.grant.grant.user);
    case "code":
      return `code ${permission.code.nonce}`;
    default:
      return identityKey(caller);
  }
}
