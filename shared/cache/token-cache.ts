/**
 * A cached token that is still valid, or one call to Entra for all requests that need the same token. Level 1 is the
 * memory of this process (`memory-cache.ts`); level 2 is shared between instances and optional (`shared-tokens.ts`).
 * This cache is authoritative; MSAL's cache is not used (see `entra/`). Failures and refresh tokens are never cached.
 * Policy runs before every look-up and the release check after it, so a hit bypasses neither. Every look-up says which
 * tokens have been revoked (`mayUse`).
 *
 * Entra does not downscope: a token has every consented scope, whatever the request named. So a request whose scopes are
 * all in a cached token of the same caller, identity, registration and API gets that token (`families.ts`).
 */

import type { Failure } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import { type AcquiredToken, type Acquisition, acquireWithLease, renewWithLease } from "./acquire-with-lease.ts";
import { warningOf } from "./cache-warning.ts";
import { findUsable, findUsableWider, hasToken, isGoodEnough, type LookUp } from "./look-up.ts";
import {
  type CacheEntry,
  type CacheSize,
  type CacheWarning,
  createMemoryCache,
  type MemoryCache,
} from "./memory-cache.ts";
import { createRenewals, type RenewalReport } from "./renewals.ts";
import type { KeyedToken, SharedTokens } from "./shared-tokens.ts";
import { createSingleFlight, type SingleFlight } from "./single-flight.ts";

/** Where the token came from, for the audit event. `shared`: another instance had stored it. */
export type CacheLevel = "hit" | "joined" | "miss" | "bypass" | "shared";

export interface CacheAnswer {
  readonly token: EntraToken;
  readonly level: CacheLevel;
  /** The token is valid, but a newer one was due and Entra could not return it. */
  readonly warning?: CacheWarning;
}

/** `hadToken`: Entra has returned a token with the requested scopes before, and it has not ended. */
export type Acquire = (hadToken: boolean) => Promise<Result<EntraToken, Failure>>;

export interface TokenCache {
  getOrAcquire(lookUp: LookUp, acquire: Acquire): Promise<Result<CacheAnswer, Failure>>;
}

/** A cache that reports its size. */
export interface MeasuredTokenCache extends TokenCache {
  size(): CacheSize;
}

export interface TokenCacheOptions {
  readonly maxBytes: number;
  readonly nowSeconds: () => number;
  /** Level 2; undefined: this process only. */
  readonly shared?: SharedTokens | undefined;
  /** Reports renewals in the background that failed. */
  readonly onRenewalFailed?: (report: RenewalReport) => void;
}

/** A token with less time left than this is of no use to a caller, even while Entra cannot answer. */
const STILL_USEFUL_SECONDS = 10;

interface Levels {
  readonly nowSeconds: () => number;
  readonly memory: MemoryCache;
  readonly shared: SharedTokens | undefined;
  readonly flights: SingleFlight<Result<AcquiredToken, Failure>>;
  /** By family: the running call whose token other requests of the family may use as well. */
  readonly familyFlights: SingleFlight<Result<AcquiredToken, Failure>>;
  /** Numbers the calls to Entra. */
  readonly nextOrder: () => number;
}

export function createTokenCache(options: TokenCacheOptions): MeasuredTokenCache {
  const { nowSeconds, shared, onRenewalFailed = () => undefined } = options;
  let order = 0;
  const levels: Levels = {
    nowSeconds,
    memory: createMemoryCache(options),
    shared,
    flights: createSingleFlight(),
    familyFlights: createSingleFlight(),
    nextOrder: () => ++order,
  };
  const renewals = createRenewals({ nowSeconds, onFailed: onRenewalFailed });
  return {
    size: levels.memory.size,
    async getOrAcquire(lookUp, acquire) {
      if (lookUp.bypass)
        return toCacheAnswer(await callAndStore(levels, lookUp, entraCall(levels, lookUp, acquire)), "bypass");
      const usable = findUsable(levels.memory, lookUp);
      const entry = usable instanceof Promise ? await usable : usable;
      if (entry !== undefined && isGoodEnough(entry, lookUp, nowSeconds())) {
        renewals.startIfDue(entry, () => renewEntry(levels, lookUp, entry, acquire));
        return succeed(toHit(entry));
      }
      return widerOrMiss(levels, lookUp, entry, acquire);
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** A call that began before a revocation gives its token only to the requests that began before it, too. */
async function joinOrMiss(levels: Levels, lookUp: LookUp, acquire: Acquire): Promise<Result<CacheAnswer, Failure>> {
  const running = levels.flights.running(lookUp.key);
  if (running === undefined) return toCacheAnswer(await miss(levels, lookUp, acquire), undefined);
  const joined = await running;
  if (!joined.ok || (await lookUp.mayUse(joined.value.acquiredAtSeconds))) return toCacheAnswer(joined, "joined");
  return toCacheAnswer(await callAndStore(levels, lookUp, entraCall(levels, lookUp, acquire)), undefined);
}

/** `entry`: the requested one, if it is in its last minutes. */
async function widerOrMiss(
  levels: Levels,
  lookUp: LookUp,
  entry: CacheEntry | undefined,
  acquire: Acquire,
): Promise<Result<CacheAnswer, Failure>> {
  const { memory, nowSeconds } = levels;
  const usable = findUsableWider(memory, lookUp);
  const wider = usable instanceof Promise ? await usable : usable;
  if (wider !== undefined && isGoodEnough(wider, lookUp, nowSeconds())) return succeed(toHit(wider));
  // Without a running call, this request starts its own at once, so that the next one finds it.
  const running = runningCallOfFamily(levels, lookUp);
  const joined = running === undefined ? undefined : await joinFamily(levels, lookUp, running);
  const settled = joined ?? (await joinOrMiss(levels, lookUp, acquire));
  const last = entry ?? wider;
  return settled.ok || last === undefined ? settled : orStillValid(settled.failure, last, nowSeconds());
}

/**
 * Waits once for the running call of the family: its token may have the requested scopes. Without this, many requests
 * for different scopes at the same time would each call Entra. Undefined: this request needs its own call.
 */
async function joinFamily(
  { memory, nowSeconds }: Levels,
  lookUp: LookUp,
  running: Promise<Result<AcquiredToken, Failure>>,
): Promise<Result<CacheAnswer, Failure> | undefined> {
  const answer = await running.catch(() => undefined);
  // Entra cannot answer for this user now. Another refusal may be about the scopes of the other request only.
  if (answer?.ok === false && warningOf(answer.failure) !== undefined) return answer;
  const wider = await findUsableWider(memory, lookUp);
  return wider !== undefined && isGoodEnough(wider, lookUp, nowSeconds())
    ? succeed({ ...toHit(wider), level: "joined" })
    : undefined;
}

function runningCallOfFamily({ flights, familyFlights }: Levels, { key, wider }: LookUp) {
  return wider === undefined || flights.running(key) !== undefined ? undefined : familyFlights.running(wider.family());
}

function miss(levels: Levels, lookUp: LookUp, acquire: Acquire): Promise<Result<AcquiredToken, Failure>> {
  const { shared, nowSeconds } = levels;
  const acquisition: Acquisition = {
    key: lookUp.key,
    isGoodEnough: (token) =>
      token.expiresAtSeconds - nowSeconds() >= lookUp.minimumSeconds && lookUp.mayUse(token.acquiredAtSeconds),
    callEntra: entraCall(levels, lookUp, acquire),
    findWider: () => findWiderInLevel2(levels, lookUp),
  };
  const flight = levels.flights.start(lookUp.key, () =>
    callAndStore(levels, lookUp, () =>
      shared === undefined ? acquisition.callEntra() : acquireWithLease(shared, acquisition),
    ),
  );
  const family = lookUp.wider?.family();
  if (family !== undefined && levels.familyFlights.running(family) === undefined) {
    // The request that started the call handles a rejection.
    levels.familyFlights.start(family, () => flight).catch(() => undefined);
  }
  return flight;
}

async function findWiderInLevel2(
  { shared, nowSeconds }: Levels,
  { wider, minimumSeconds, mayUse }: LookUp,
): Promise<KeyedToken | undefined> {
  const found = wider === undefined ? undefined : await shared?.findInFamily(wider.family());
  const isAnswer =
    found !== undefined &&
    wider?.covers(found.token.scopes) === true &&
    found.token.expiresAtSeconds - nowSeconds() >= minimumSeconds &&
    (await mayUse(found.token.acquiredAtSeconds));
  return isAnswer ? found : undefined;
}

/** A foreground call that is already running counts as the renewal. */
function renewEntry(
  levels: Levels,
  lookUp: LookUp,
  entry: CacheEntry,
  acquire: Acquire,
): Promise<Result<AcquiredToken, Failure>> {
  const { shared, flights } = levels;
  const acquisition: Acquisition = {
    key: lookUp.key,
    isGoodEnough: (token) =>
      token.expiresAtSeconds > entry.token.expiresAtSeconds && lookUp.mayUse(token.acquiredAtSeconds),
    callEntra: entraCall(levels, lookUp, acquire),
  };
  const renewal = async (): Promise<Result<AcquiredToken, Failure>> => {
    const renewed = shared === undefined ? await acquisition.callEntra() : await renewWithLease(shared, acquisition);
    // Another instance is renewing: requests that joined this flight get the token that is still valid.
    const { token } = entry;
    return renewed ?? succeed({ token, acquiredAtSeconds: token.acquiredAtSeconds, level: "shared" });
  };
  return flights.running(lookUp.key) ?? flights.start(lookUp.key, () => callAndStore(levels, lookUp, renewal));
}

async function callAndStore(
  { memory, shared, nextOrder }: Levels,
  { key, notAfterSeconds, wider }: LookUp,
  call: () => Promise<Result<AcquiredToken, Failure>>,
): Promise<Result<AcquiredToken, Failure>> {
  const order = nextOrder();
  const acquired = await call();
  if (acquired.ok) {
    const { token, acquiredAtSeconds, level, key: storeAs = key } = acquired.value;
    const family = wider?.family();
    const fromEntra = level === "miss";
    const entry = memory.store(storeAs, { token, notAfterSeconds, order, acquiredAtSeconds, fromEntra, family });
    if (entry !== undefined && fromEntra) {
      void shared?.put(key, entry.token, entry.untilSeconds, family);
    }
  }
  return acquired;
}

function entraCall({ memory, nowSeconds }: Levels, lookUp: LookUp, acquire: Acquire): Acquisition["callEntra"] {
  return async () => {
    const acquiredAtSeconds = nowSeconds();
    const acquired = await acquire(hasToken(memory, lookUp));
    return acquired.ok ? succeed({ token: acquired.value, acquiredAtSeconds, level: "miss" }) : acquired;
  };
}

/** While Entra cannot answer, a token in its last minutes is better for the caller than an error. */
function orStillValid(failure: Failure, entry: CacheEntry, now: number): Result<CacheAnswer, Failure> {
  const warning = warningOf(failure);
  return warning !== undefined && entry.endSeconds - now >= STILL_USEFUL_SECONDS
    ? succeed({ token: entry.token, level: "hit", warning })
    : fail(failure);
}

function toHit({ token, warning }: CacheEntry): CacheAnswer {
  return warning === undefined ? { token, level: "hit" } : { token, level: "hit", warning };
}

function toCacheAnswer(
  result: Result<AcquiredToken, Failure>,
  level: CacheLevel | undefined,
): Result<CacheAnswer, Failure> {
  return result.ok ? succeed({ token: result.value.token, level: level ?? result.value.level }) : result;
}
