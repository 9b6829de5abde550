/**
 * A cached token that is still valid, or one call to Entra for all requests that need the same token. Level 1 is the
 * memory of this process (`memory-cache.ts`); level 2 is shared between instances and optional (`shared-tokens.ts`).
 * This cache is authoritative; MSAL's cache is not used (see `entra/`). Failures and refresh tokens are never cached.
 * Policy runs before every look-up and the release check after it, so a hit bypasses neither.
 *
 * Entra does not downscope: a token has every consented scope, whatever the request named. So a request whose scopes are
 * all in a cached token of the same caller, identity, registration and API gets that token (`families.ts`).
 */

import type { Failure } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import {
  type AcquiredToken,
  type Acquisition,
  acquireWithLease,
  asMiss,
  renewWithLease,
} from "./acquire-with-lease.ts";
import { warningOf } from "./cache-warning.ts";
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

export interface LookUp {
  readonly key: string;
  /** A cached token that ends sooner than this is not good enough, seconds. */
  readonly minimumSeconds: number;
  /** Do not answer from the cache; the token that Entra returns replaces the entry. */
  readonly bypass: boolean;
  /** End of the caller's right to the token (its assertion), seconds since 1970. */
  readonly notAfterSeconds: number | undefined;
  /** Undefined: only a token for exactly the requested scopes is the answer. */
  readonly wider?: WiderTokens | undefined;
}

/** Tokens of the same caller, identity, registration and API that Entra issued for other scopes. */
export interface WiderTokens {
  /** See `familyKey`. A cache hit does not need it. */
  readonly family: () => string;
  /** True if a token with these scopes, as Entra returned them, is the answer to this request. */
  readonly covers: (scopes: readonly string[]) => boolean;
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
      if (lookUp.bypass) return toCacheAnswer(await callAndStore(levels, lookUp, () => callEntra(acquire)), "bypass");
      const entry = levels.memory.find(lookUp.key);
      if (entry !== undefined && isGoodEnough(entry, lookUp, nowSeconds())) {
        renewals.startIfDue(entry, () => renewEntry(levels, lookUp, entry, acquire));
        return succeed(toHit(entry));
      }
      return widerOrMiss(levels, lookUp, entry, acquire);
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

function isGoodEnough(entry: CacheEntry, { minimumSeconds }: LookUp, now: number): boolean {
  const left = entry.token.expiresAtSeconds - now;
  const fromRecentCall = entry.calledAtSeconds !== undefined && now - entry.calledAtSeconds < RECENT_CALL_SECONDS;
  return entry.untilSeconds > now && (left >= minimumSeconds || fromRecentCall);
}

/** `entry`: the requested one, if it is in its last minutes. */
async function widerOrMiss(
  levels: Levels,
  lookUp: LookUp,
  entry: CacheEntry | undefined,
  acquire: Acquire,
): Promise<Result<CacheAnswer, Failure>> {
  const { nowSeconds } = levels;
  const wider = findWider(levels, lookUp);
  if (wider !== undefined && isGoodEnough(wider, lookUp, nowSeconds())) return succeed(toHit(wider));
  // Without a running call, this request starts its own at once, so that the next one finds it.
  const running = runningCallOfFamily(levels, lookUp);
  const joined = running === undefined ? undefined : await joinFamily(levels, lookUp, running);
  const settled = joined ?? (await joinOrMiss(levels, lookUp, acquire));
  const last = entry ?? wider;
  return settled.ok || last === undefined ? settled : orStillValid(settled.failure, last, nowSeconds());
}

/**
 * The token of an earlier request that has the requested scopes, the longest-lived one first. It is not renewed here: a
 * request for fewer scopes would replace it with a token that may have fewer.
 */
function findWider({ memory }: Levels, { wider }: LookUp): CacheEntry | undefined {
  return wider === undefined
    ? undefined
    : memory
        .findFamily(wider.family())
        .filter(({ token }) => wider.covers(token.scopes))
        .sort((a, b) => b.untilSeconds - a.untilSeconds)[0];
}

/**
 * Waits once for the running call of the family: its token may have the requested scopes. Without this, many requests
 * for different scopes at the same time would each call Entra. Undefined: this request needs its own call.
 */
async function joinFamily(
  levels: Levels,
  lookUp: LookUp,
  running: Promise<Result<AcquiredToken, Failure>>,
): Promise<Result<CacheAnswer, Failure> | undefined> {
  const { nowSeconds } = levels;
  const answer = await running.catch(() => undefined);
  // Entra cannot answer for this user now. Another refusal may be about the scopes of the other request only.
  if (answer?.ok === false && warningOf(answer.failure) !== undefined) return answer;
  const wider = findWider(levels, lookUp);
  return wider !== undefined && isGoodEnough(wider, lookUp, nowSeconds())
    ? succeed({ ...toHit(wider), level: "joined" })
    : undefined;
}

function runningCallOfFamily({ flights, familyFlights }: Levels, { key, wider }: LookUp) {
  return wider === undefined || flights.running(key) !== undefined ? undefined : familyFlights.running(wider.family());
}

async function joinOrMiss(levels: Levels, lookUp: LookUp, acquire: Acquire): Promise<Result<CacheAnswer, Failure>> {
  const running = levels.flights.running(lookUp.key);
  const answer = await (running ?? miss(levels, lookUp, acquire));
  return toCacheAnswer(answer, running === undefined ? undefined : "joined");
}

function miss(levels: Levels, lookUp: LookUp, acquire: Acquire): Promise<Result<AcquiredToken, Failure>> {
  const { shared, nowSeconds } = levels;
  const acquisition: Acquisition = {
    key: lookUp.key,
    isGoodEnough: (token) => token.expiresAtSeconds - nowSeconds() >= lookUp.minimumSeconds,
    callEntra: acquire,
    findWider: () => findWiderInLevel2(levels, lookUp),
  };
  const flight = levels.flights.start(lookUp.key, () =>
    callAndStore(levels, lookUp, () =>
      shared === undefined ? callEntra(acquire) : acquireWithLease(shared, acquisition),
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
  { wider, minimumSeconds }: LookUp,
): Promise<KeyedToken | undefined> {
  const found = wider === undefined ? undefined : await shared?.findInFamily(wider.family());
  const isAnswer =
    found !== undefined &&
    wider?.covers(found.token.scopes) === true &&
    found.token.expiresAtSeconds - nowSeconds() >= minimumSeconds;
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
    isGoodEnough: (token) => token.expiresAtSeconds > entry.token.expiresAtSeconds,
    callEntra: acquire,
  };
  const renewal = async (): Promise<Result<AcquiredToken, Failure>> => {
    const renewed = shared === undefined ? await callEntra(acquire) : await renewWithLease(shared, acquisition);
    // Another instance is renewing: requests that joined this flight get the token that is still valid.
    return renewed ?? succeed({ token: entry.token, level: "shared" });
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
    const { token, level, key: storeAs = key } = acquired.value;
    const family = wider?.family();
    const entry = memory.store(storeAs, { token, notAfterSeconds, order, fromEntra: level === "miss", family });
    if (entry !== undefined && level === "miss") {
      void shared?.put(key, entry.token, entry.untilSeconds, family);
    }
  }
  return acquired;
}

async function callEntra(acquire: Acquire): Promise<Result<AcquiredToken, Failure>> {
  return asMiss(await acquire());
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
