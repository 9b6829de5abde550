/**
 * Stage 3 of the story: a token that is still good, or one question to Entra for everybody who wishes the same. Level 1
 * is this process (`kept-tokens.ts`), level 2 is shared between instances and optional (`shared-tokens.ts`). This cache
 * is authoritative; MSAL's is not used (see `entra/`). Failures are never kept; refresh tokens never enter. Policy runs
 * before every look-up and the release check after it, so a hit is no short cut past either.
 */

import type { Failure } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import { acquireOnce, renewOnce, type SharedAnswer } from "./acquire-once.ts";
import { warningOf } from "./cache-warning.ts";
import {
  type CacheEntry,
  type CacheSize,
  type CacheWarning,
  createMemoryCache,
  type MemoryCache,
} from "./memory-tokens.ts";
import { createRenewals, type RenewalReport } from "./renewals.ts";
import type { SharedTokens } from "./shared-tokens.ts";
import { createSingleFlight, type SingleFlight } from "./single-flight.ts";

/** How the token was come by, for the audit trail. `shared`: another instance had it. */
export type CacheLevel = "hit" | "joined" | "miss" | "bypass" | "shared";

export interface CacheAnswer {
  readonly token: EntraToken;
  readonly level: CacheLevel;
  /** The token is valid, but a newer one was due and Entra could not give it. */
  readonly warning?: CacheWarning;
}

export interface LookUp {
  readonly key: string;
  /** A kept token with less life left than this is not good enough, seconds. */
  readonly minimumSeconds: number;
  /** Do not answer from the cache; what Entra gives replaces the entry. */
  readonly bypass: boolean;
  /** End of the caller's right to the token (its assertion), seconds since 1970. */
  readonly notAfterSeconds: number | undefined;
}

export type Acquire = () => Promise<Result<EntraToken, Failure>>;

export interface TokenCache {
  getOrAcquire(lookUp: LookUp, acquire: Acquire): Promise<Result<CacheAnswer, Failure>>;
}

/** A cache that says how much of it is used. */
export interface MeasuredTokenCache extends TokenCache {
  size(): CacheSize;
}

export interface TokenCacheOptions {
  readonly maxBytes: number;
  readonly nowSeconds: () => number;
  /** Level 2; undefined: this process only. */
  readonly shared?: SharedTokens | undefined;
  /** Renewals in the background that failed. */
  readonly onRenewalFailed?: (report: RenewalReport) => void;
}

/** A token of this age is as good as any: whatever life is wished for, Entra is asked once in that time at most. */
const RECENT_CALL_SECONDS = 60;
/** A token with less than this is no help to anybody, Entra or not. */
const STILL_USEFUL_SECONDS = 10;

interface Levels {
  readonly nowSeconds: () => number;
  readonly kept: MemoryCache;
  readonly shared: SharedTokens | undefined;
  readonly flights: SingleFlight<Result<SharedAnswer, Failure>>;
  /** Numbers the questions to Entra. */
  readonly nextOrder: () => number;
}

export function createTokenCache(options: TokenCacheOptions): MeasuredTokenCache {
  const { nowSeconds, shared, onRenewalFailed = () => undefined } = options;
  let order = 0;
  const levels: Levels = {
    nowSeconds,
    kept: createMemoryCache(options),
    shared,
    flights: createSingleFlight(),
    nextOrder: () => ++order,
  };
  const renewals = createRenewals({ nowSeconds, onFailed: onRenewalFailed });
  return {
    size: levels.kept.size,
    async getOrAcquire(lookUp, acquire) {
      if (lookUp.bypass) return toAnswer(await callAndStore(levels, lookUp, () => ask(acquire)), "bypass");
      const entry = levels.kept.find(lookUp.key);
      if (entry !== undefined && isGoodEnough(entry, lookUp, nowSeconds())) {
        renewals.startIfDue(entry, () => renew(levels, lookUp, entry, acquire));
        return succeed(toHit(entry));
      }
      const running = levels.flights.running(lookUp.key);
      const answer = await (running ?? miss(levels, lookUp, acquire));
      const settled = toAnswer(answer, running === undefined ? undefined : "joined");
      return settled.ok || entry === undefined ? settled : orStillValid(settled.failure, entry, nowSeconds());
    },
  };
}

function isGoodEnough(entry: CacheEntry, { minimumSeconds }: LookUp, now: number): boolean {
  const left = entry.token.expiresAtSeconds - now;
  const justAsked = entry.calledAtSeconds !== undefined && now - entry.calledAtSeconds < RECENT_CALL_SECONDS;
  return entry.untilSeconds > now && (left >= minimumSeconds || justAsked);
}

function miss(levels: Levels, lookUp: LookUp, acquire: Acquire): Promise<Result<SharedAnswer, Failure>> {
  const { shared, nowSeconds } = levels;
  const question = {
    key: lookUp.key,
    isGoodEnough: (token: EntraToken) => token.expiresAtSeconds - nowSeconds() >= lookUp.minimumSeconds,
    ask: acquire,
  };
  return levels.flights.start(lookUp.key, () =>
    callAndStore(levels, lookUp, () => (shared === undefined ? ask(acquire) : acquireOnce(shared, question))),
  );
}

/** Never in the way of a foreground call: where one is under way, that is the renewal. */
function renew(
  levels: Levels,
  lookUp: LookUp,
  entry: CacheEntry,
  acquire: Acquire,
): Promise<Result<SharedAnswer, Failure>> {
  const { shared, flights } = levels;
  const question = {
    key: lookUp.key,
    isGoodEnough: (token: EntraToken) => token.expiresAtSeconds > entry.token.expiresAtSeconds,
    ask: acquire,
  };
  const renewal = async (): Promise<Result<SharedAnswer, Failure>> => {
    const renewed = shared === undefined ? await ask(acquire) : await renewOnce(shared, question);
    // Another instance renews: whoever joins meanwhile gets the token that is still good.
    return renewed ?? succeed({ token: entry.token, level: "shared" });
  };
  return flights.running(lookUp.key) ?? flights.start(lookUp.key, () => callAndStore(levels, lookUp, renewal));
}

async function callAndStore(
  { kept, shared, nextOrder }: Levels,
  { key, notAfterSeconds }: LookUp,
  question: () => Promise<Result<SharedAnswer, Failure>>,
): Promise<Result<SharedAnswer, Failure>> {
  const order = nextOrder();
  const answer = await question();
  if (answer.ok) {
    const { token, level } = answer.value;
    const entry = kept.keep(key, { token, notAfterSeconds, order, asked: level === "miss" });
    if (entry !== undefined && level === "miss") {
      void shared?.put(key, entry.token, entry.untilSeconds);
    }
  }
  return answer;
}

async function ask(acquire: Acquire): Promise<Result<SharedAnswer, Failure>> {
  const asked = await acquire();
  return asked.ok ? succeed({ token: asked.value, level: "miss" }) : asked;
}

/** A token in its last minutes is better than an error that Entra's absence causes. */
function orStillValid(failure: Failure, entry: CacheEntry, now: number): Result<CacheAnswer, Failure> {
  const warning = warningOf(failure);
  return warning !== undefined && entry.endSeconds - now >= STILL_USEFUL_SECONDS
    ? succeed({ token: entry.token, level: "hit", warning })
    : fail(failure);
}

function toHit({ token, warning }: CacheEntry): CacheAnswer {
  return warning === undefined ? { token, level: "hit" } : { token, level: "hit", warning };
}

function toAnswer(result: Result<SharedAnswer, Failure>, level: CacheLevel | undefined): Result<CacheAnswer, Failure> {
  return result.ok ? succeed({ token: result.value.token, level: level ?? result.value.level }) : result;
}
