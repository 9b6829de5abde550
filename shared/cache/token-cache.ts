/**
 * A cached token that is still valid, or one call to Entra for all requests that need the same token. Level 1 is the
 * memory of this process (`memory-cache.ts`); level 2 is shared between instances and optional (`shared-tokens.ts`).
 * This cache is authoritative; MSAL's cache is not used (see `entra/`). Failures and refresh tokens are never cached.
 * Policy runs before every look-up and the release check after it, so a hit bypasses neither. Every look-up says which
 * tokens have been revoked (`mayUse`).
 */

import type { Failure } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import { type AcquiredToken, type Acquisition, acquireWithLease, renewWithLease } from "./acquire-with-lease.ts";
import { warningOf } from "./cache-warning.ts";
import {
  type CacheEntry,
  type CacheSize,
  type CacheWarning,
  createMemoryCache,
  type MemoryCache,
} from "./memory-cache.ts";
import { createRenewals, type RenewalReport } from "./renewals.ts";
import type { SharedTokens } from "./shared-tokens.ts";
import { createSingleFlight, type SingleFlight } from "./single-flight.ts";

/** Where the token came from, for the audit event. `shared`: another instance had stored it. */
export type CacheLevel = "hit" | "joined" | "miss" | "bypass" | "shared";

export interface CacheAnswer {
  readonly token: EntraToken;
  readonly level: CacheLevel;
  /** The token is valid, but a newer one was due and Entra could not return it. */
  readonly warning?: CacheWarning;
}

export interface LookUp {
  readonly key: string;
  /** A cached token that ends sooner than this is not good enough, seconds. */
  readonly minimumSeconds: number;
  /** Do not answer from the cache; the token that Entra returns replaces the entry. */
  readonly bypass: boolean;
  /** End of the caller's right to the token (its assertion), seconds since 1970. */
  readonly notAfterSeconds: number | undefined;
  /**
   * Whether a token may be used that was acquired at this time, seconds since 1970: false if it was revoked since. The
   * cache asks about every token that this look-up did not itself get from Entra.
   */
  readonly mayUse: (acquiredAtSeconds: number) => boolean | Promise<boolean>;
}

export type Acquire = () => Promise<Result<EntraToken, Failure>>;

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

/** A token this young is used for any requested lifetime: Entra is called at most once in that time. */
const RECENT_CALL_SECONDS = 60;
/** A token with less time left than this is of no use to a caller, even while Entra cannot answer. */
const STILL_USEFUL_SECONDS = 10;

interface Levels {
  readonly nowSeconds: () => number;
  readonly memory: MemoryCache;
  readonly shared: SharedTokens | undefined;
  readonly flights: SingleFlight<Result<AcquiredToken, Failure>>;
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
    nextOrder: () => ++order,
  };
  const renewals = createRenewals({ nowSeconds, onFailed: onRenewalFailed });
  return {
    size: levels.memory.size,
    async getOrAcquire(lookUp, acquire) {
      if (lookUp.bypass) return toCacheAnswer(await callAndStore(levels, lookUp, entraCall(levels, acquire)), "bypass");
      const usable = findUsable(levels, lookUp);
      const entry = usable instanceof Promise ? await usable : usable;
      if (entry !== undefined && isGoodEnough(entry, lookUp, nowSeconds())) {
        renewals.startIfDue(entry, () => renewEntry(levels, lookUp, entry, acquire));
        return succeed(toHit(entry));
      }
      const answer = await joinOrMiss(levels, lookUp, acquire);
      return answer.ok || entry === undefined ? answer : orStillValid(answer.failure, entry, nowSeconds());
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** An entry that has not been revoked. Without a promise, so that a miss calls Entra in the same turn. */
function findUsable(
  { memory }: Levels,
  { key, mayUse }: LookUp,
): CacheEntry | undefined | Promise<CacheEntry | undefined> {
  const entry = memory.find(key);
  if (entry === undefined) return undefined;
  const usable = mayUse(entry.token.acquiredAtSeconds);
  if (usable === true) return entry;
  return usable === false ? undefined : usable.then((isUsable) => (isUsable ? entry : undefined));
}

/** A call that began before a revocation gives its token only to the requests that began before it, too. */
async function joinOrMiss(levels: Levels, lookUp: LookUp, acquire: Acquire): Promise<Result<CacheAnswer, Failure>> {
  const running = levels.flights.running(lookUp.key);
  if (running === undefined) return toCacheAnswer(await miss(levels, lookUp, acquire), undefined);
  const joined = await running;
  if (!joined.ok || (await lookUp.mayUse(joined.value.acquiredAtSeconds))) return toCacheAnswer(joined, "joined");
  return toCacheAnswer(await callAndStore(levels, lookUp, entraCall(levels, acquire)), undefined);
}

function isGoodEnough(entry: CacheEntry, { minimumSeconds }: LookUp, now: number): boolean {
  const left = entry.token.expiresAtSeconds - now;
  const fromRecentCall = entry.calledAtSeconds !== undefined && now - entry.calledAtSeconds < RECENT_CALL_SECONDS;
  return entry.untilSeconds > now && (left >= minimumSeconds || fromRecentCall);
}

function miss(levels: Levels, lookUp: LookUp, acquire: Acquire): Promise<Result<AcquiredToken, Failure>> {
  const { shared, nowSeconds } = levels;
  const acquisition: Acquisition = {
    key: lookUp.key,
    isGoodEnough: (token) =>
      token.expiresAtSeconds - nowSeconds() >= lookUp.minimumSeconds && lookUp.mayUse(token.acquiredAtSeconds),
    callEntra: entraCall(levels, acquire),
  };
  return levels.flights.start(lookUp.key, () =>
    callAndStore(levels, lookUp, () =>
      shared === undefined ? acquisition.callEntra() : acquireWithLease(shared, acquisition),
    ),
  );
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
    callEntra: entraCall(levels, acquire),
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
  { key, notAfterSeconds }: LookUp,
  call: () => Promise<Result<AcquiredToken, Failure>>,
): Promise<Result<AcquiredToken, Failure>> {
  const order = nextOrder();
  const acquired = await call();
  if (acquired.ok) {
    const { token, acquiredAtSeconds, level } = acquired.value;
    const fromEntra = level === "miss";
    const entry = memory.store(key, { token, notAfterSeconds, order, acquiredAtSeconds, fromEntra });
    if (entry !== undefined && fromEntra) {
      void shared?.put(key, entry.token, entry.untilSeconds);
    }
  }
  return acquired;
}

function entraCall({ nowSeconds }: Levels, acquire: Acquire): Acquisition["callEntra"] {
  return async () => {
    const acquiredAtSeconds = nowSeconds();
    const acquired = await acquire();
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
