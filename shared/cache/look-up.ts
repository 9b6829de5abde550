/**
 * What a request looks up, and what level 1 has for it. An entry that has been revoked is as good as none. No I/O of its
 * own.
 */
import type { CacheEntry, MemoryCache } from "./memory-cache.ts";

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
  readonly mayUse: MayUse;
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

type MayUse = (acquiredAtSeconds: number) => boolean | Promise<boolean>;

/** A promise only if the marks must be read, so that a request that finds nothing calls Entra in the same turn. */
type Usable = CacheEntry | undefined | Promise<CacheEntry | undefined>;

/** A token this young is used for any requested lifetime: Entra is called at most once in that time. */
const RECENT_CALL_SECONDS = 60;

/** The entry of exactly this key, unless it has been revoked. */
export function findUsable(memory: MemoryCache, { key, mayUse }: LookUp): Usable {
  const entry = memory.find(key);
  return entry === undefined ? undefined : firstUsable([entry], mayUse);
}

/**
 * The token of an earlier request that has the requested scopes and has not been revoked, the longest-lived one first. It
 * is not renewed here: a request for fewer scopes would replace it with a token that may have fewer.
 */
export function findUsableWider(memory: MemoryCache, { wider, mayUse }: LookUp): Usable {
  const covering = findCovering(memory, wider).sort((a, b) => b.untilSeconds - a.untilSeconds);
  return firstUsable(covering, mayUse);
}

/** Whether there is a token with the requested scopes, revoked or not. */
export function hasToken(memory: MemoryCache, { key, wider }: LookUp): boolean {
  return memory.find(key) !== undefined || findCovering(memory, wider).length > 0;
}

export function isGoodEnough(entry: CacheEntry, { minimumSeconds }: LookUp, now: number): boolean {
  const left = entry.token.expiresAtSeconds - now;
  const fromRecentCall = entry.calledAtSeconds !== undefined && now - entry.calledAtSeconds < RECENT_CALL_SECONDS;
  return entry.untilSeconds > now && (left >= minimumSeconds || fromRecentCall);
}

// ---------------------------------------------------------------------------------------------------------------

function findCovering(memory: MemoryCache, wider: WiderTokens | undefined): CacheEntry[] {
  return wider === undefined ? [] : memory.findFamily(wider.family()).filter(({ token }) => wider.covers(token.scopes));
}

function firstUsable([entry, ...others]: readonly CacheEntry[], mayUse: MayUse): Usable {
  if (entry === undefined) return undefined;
  const usable = mayUse(entry.token.acquiredAtSeconds);
  if (usable === true) return entry;
  if (usable === false) return firstUsable(others, mayUse);
  return usable.then((isUsable) => (isUsable ? entry : firstUsable(others, mayUse)));
}
