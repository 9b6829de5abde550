/**
 * Stages 3 and 4 of the story: a token that is still good, or else one from Entra. Policy has decided before; the
 * release check follows for every token, kept or new.
 */
import type { BypassBudget } from "./cache/bypass-budget.ts";
import { cacheKey, identityKey } from "./cache/cache-key.ts";
import type { ThrottleMemory } from "./cache/throttle-memory.ts";
import type { CacheAnswer, TokenCache } from "./cache/token-cache.ts";
import type { Caller } from "./caller/caller.ts";
import type { EntraToken } from "./entra/entra-token.ts";
import type { ExchangeRequest, Wish } from "./exchange-request.ts";
import type { Failure } from "./failure.ts";
import { flowFor } from "./flows/flows.ts";
import type { GrantKeeper } from "./keep-grant.ts";
import type { Permission } from "./permission.ts";
import type { Entitlement } from "./policy/entitlement.ts";
import type { Registration } from "./registration.ts";
import { fail, type Result, succeed } from "./result.ts";

export interface Acquirers {
  readonly tenantId: string;
  readonly allowGuests: boolean;
  readonly cache: TokenCache;
  readonly bypassBudget: BypassBudget;
  readonly throttles: ThrottleMemory;
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
  const { bypassBudget, throttles } = acquirers;
  const who = `${entitlement.entry} ${whose(caller, permission)}`;
  const bypass = entitlement.offlineAccess || wish.claims !== undefined || wish.forceRefresh;
  const wait = bypass || flow.identity === undefined ? bypassBudget.take(who, entitlement.bypassPerMinute) : undefined;
  if (wait !== undefined) {
    return fail({ kind: "budget_used_up", retryAfterSeconds: wait });
  }
  const ask = () =>
    unlessRefusedTooOften(bypassBudget, { who, perMinute: entitlement.bypassPerMinute }, () =>
      unlessThrottled(throttles, throttleKeys(registration, who, whose(caller, permission)), async () => {
        const entra = await registration.entra();
        const { grants, allowGuests } = acquirers;
        const dependencies = { entra, allowGuests, grantRedeemed: grants.redeemed };
        return flow.acquire(dependencies, { entitlement, claims: wish.claims, correlationId, trace });
      }),
    );
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

/** AADSTS50196: one client repeats one request. That is this caller's doing, and no reason for others to wait. */
const REQUEST_LOOP = 50196;

interface ThrottleKeys {
  /** Entra throttles a user of a registration, whoever calls for that user. */
  readonly user: string;
  /** A request loop is one caller's. */
  readonly caller: string;
}

function throttleKeys({ clientId }: Registration, who: string, user: string): ThrottleKeys {
  return { user: `${clientId} ${user}`, caller: `${clientId} ${who}` };
}

/** Whoever Entra told to wait waits, without another call; nobody else does. */
async function unlessThrottled(
  throttles: ThrottleMemory,
  keys: ThrottleKeys,
  ask: () => Promise<Result<EntraToken, Failure>>,
): Promise<Result<EntraToken, Failure>> {
  const wait = throttles.remaining(keys.user) ?? throttles.remaining(keys.caller);
  if (wait !== undefined) {
    return fail({ kind: "throttled", retryAfterSeconds: wait });
  }
  const asked = await ask();
  if (!asked.ok && asked.failure.kind === "throttled") {
    const loop = asked.failure.evidence?.codes.includes(REQUEST_LOOP) === true;
    throttles.remember(loop ? keys.caller : keys.user, asked.failure.retryAfterSeconds);
  }
  return asked;
}

/** No refusal is kept, so the same wish asks Entra again; not without end. What is in the cache is not touched by it. */
async function unlessRefusedTooOften(
  budget: BypassBudget,
  { who, perMinute }: { readonly who: string; readonly perMinute: number },
  ask: () => Promise<Result<EntraToken, Failure>>,
): Promise<Result<EntraToken, Failure>> {
  const refusals = `refused ${who}`;
  const wait = budget.wait(refusals, perMinute);
  if (wait !== undefined) {
    return fail({ kind: "budget_used_up", retryAfterSeconds: wait });
  }
  const asked = await ask();
  if (isTheirs(asked)) {
    budget.take(refusals, perMinute);
  }
  return asked;
}

/** Entra refused because of the person or what was presented; not because of us. */
function isTheirs(asked: Result<EntraToken, Failure>): boolean {
  if (asked.ok || asked.failure.kind !== "entra_refused") {
    return false;
  }
  const { verdict } = asked.failure;
  return verdict !== "credential_refused" && verdict !== "misconfigured";
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
