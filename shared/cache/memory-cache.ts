/**
 * Level 1: tokens in the memory of this process. Bounded in bytes; the least recently used entry is evicted first. Every
 * operation is O(1). Decides until when a token is used and when it is renewed. No I/O; the clock is given.
 */
import { LRUCache } from "lru-cache";
import type { EntraToken } from "../entra/entra-token.ts";
import { type CachedToken, toCachedToken } from "./cached-token.ts";
import { createFamilies } from "./families.ts";

export interface CacheEntry {
  readonly token: CachedToken;
  /** The token is used until then, seconds since 1970. */
  readonly untilSeconds: number;
  /**
   * When the token or the right to it ends, seconds since 1970. Between `untilSeconds` and this time the token is used
   * only while Entra cannot answer.
   */
  readonly endSeconds: number;
  /** A renewal is due from then on, seconds since 1970; undefined: a new token would not live longer. */
  renewAtSeconds: number | undefined;
  /** Renewals in a row that failed. */
  renewalFailures: number;
  /** Set while the last renewal failed because Entra could not answer. */
  warning: CacheWarning | undefined;
  /** When Entra returned the token, seconds since 1970; undefined: another instance acquired it. */
  readonly calledAtSeconds: number | undefined;
  /** Order of the calls to Entra: a token never replaces the token of a later call. */
  readonly order: number;
  /** See `familyKey`. Undefined: the token answers requests for exactly its own scopes only. */
  readonly family: string | undefined;
}

/** The token is valid, but a newer one was due and Entra could not return it. */
export type CacheWarning = "entra_unavailable" | "entra_throttled";

export interface MemoryCache {
  /** The entry, unless its token or the right to it has ended. */
  find(key: string): CacheEntry | undefined;
  /** The entries of a family that have not ended, newest first. */
  findFamily(family: string): readonly CacheEntry[];
  /** Undefined: not stored, because the token is nearly over or a later call has already stored one. */
  store(key: string, input: StoreInput): CacheEntry | undefined;
  size(): CacheSize;
}

export interface CacheSize {
  readonly entries: number;
  readonly bytes: number;
}

export interface StoreInput {
  readonly token: EntraToken;
  /** End of the caller's right to the token (its assertion, its grant), seconds since 1970. */
  readonly notAfterSeconds: number | undefined;
  readonly order: number;
  /** As in `CachedToken`. */
  readonly acquiredAtSeconds: number;
  /** Entra returned it just now; false: it came from another instance. */
  readonly fromEntra: boolean;
  readonly family: string | undefined;
}

/** A cached token is used until this long before its end, so that the caller has time to use it. */
const LEEWAY_SECONDS = 120;
/** Renewed this long before `untilSeconds`: callers do not notice an outage of Entra that is shorter. */
const RENEW_AHEAD_SECONDS = 600;
/** Between two renewals of one entry, even if Entra suggests less. */
const RENEW_PAUSE_SECONDS = 30;
/** Size of an entry besides its token: key, record, list links, family; measured at about 850 bytes. */
const ENTRY_OVERHEAD_BYTES = 1_024;

export function createMemoryCache({
  maxBytes,
  nowSeconds,
}: {
  readonly maxBytes: number;
  readonly nowSeconds: () => number;
}): MemoryCache {
  const families = createFamilies();
  const entries = new LRUCache<string, CacheEntry>({
    maxSize: maxBytes,
    sizeCalculation: (entry, key) => ENTRY_OVERHEAD_BYTES + key.length + sizeOf(entry.token),
    dispose: ({ family }, key) => families.remove(family, key),
  });
  const find = (key: string): CacheEntry | undefined => {
    const entry = entries.get(key);
    if (entry !== undefined && entry.endSeconds <= nowSeconds()) {
      entries.delete(key);
      return undefined;
    }
    return entry;
  };
  return {
    size: () => ({ entries: entries.size, bytes: entries.calculatedSize }),
    find,
    findFamily: (family) => families.keys(family).flatMap((key) => find(key) ?? []),
    store(key, { token, notAfterSeconds, order, acquiredAtSeconds, fromEntra, family }) {
      const now = nowSeconds();
      const endSeconds = Math.min(token.expiresAtSeconds, notAfterSeconds ?? Number.POSITIVE_INFINITY);
      const untilSeconds = endSeconds - leewaySeconds(endSeconds - now);
      const known = entries.peek(key);
      if (untilSeconds <= now || (known !== undefined && known.order > order)) return undefined;
      const entry: CacheEntry = {
        token: toCachedToken(token, acquiredAtSeconds),
        untilSeconds,
        endSeconds,
        renewAtSeconds: token.expiresAtSeconds > endSeconds ? undefined : renewAt(token, untilSeconds, now),
        renewalFailures: 0,
        warning: undefined,
        calledAtSeconds: fromEntra ? now : undefined,
        order,
        family,
      };
      entries.set(key, entry);
      families.add(family, key);
      return entry;
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** Two minutes, or half the lifetime of a token that lives less than four minutes. */
function leewaySeconds(lifetimeSeconds: number): number {
  return Math.min(LEEWAY_SECONDS, Math.max(0, lifetimeSeconds) / 2);
}

/** The time that Entra suggests (long-lived tokens), or else some time before the end; never immediately. */
function renewAt({ refreshAtSeconds }: EntraToken, untilSeconds: number, now: number): number {
  const ahead = untilSeconds - Math.min(RENEW_AHEAD_SECONDS, (untilSeconds - now) / 2);
  return Math.max(Math.min(refreshAtSeconds ?? ahead, ahead), now + RENEW_PAUSE_SECONDS);
}

function sizeOf(token: CachedToken): number {
  return token.accessToken.length + token.scopes.reduce((size, scope) => size + scope.length, 0);
}
