/**
 * Level 1: tokens in the memory of this process. Bounded in bytes, least recently used out first, O(1) at any size.
 * Knows how long a token may be given out and when it is worth renewing. No I/O; the clock is given.
 */
import { LRUCache } from "lru-cache";
import type { EntraToken } from "../entra/entra-token.ts";
import { type CachedToken, toCachedToken } from "./cached-token.ts";

export interface CacheEntry {
  readonly token: CachedToken;
  /** Given out until then, seconds since 1970. */
  readonly untilSeconds: number;
  /** Truly over then (token or right), seconds since 1970. Between the two it serves only while Entra cannot help. */
  readonly endSeconds: number;
  /** Renewing is due from then on, seconds since 1970; undefined: a new token would not live longer. */
  renewAtSeconds: number | undefined;
  /** Renewals in a row that failed. */
  renewalFailures: number;
  /** Set while the last renewal failed because Entra could not help. */
  warning: CacheWarning | undefined;
  /** When Entra gave it, seconds since 1970; undefined: another instance got it. */
  readonly calledAtSeconds: number | undefined;
  /** Order of the questions to Entra: an answer never replaces that of a later question. */
  readonly order: number;
}

/** The token is good, but a newer one was due and Entra could not give it. */
export type CacheWarning = "entra_unavailable" | "entra_throttled";

export interface MemoryCache {
  /** The entry, if its token is not over yet. */
  find(key: string): CacheEntry | undefined;
  keep(key: string, input: StoreInput): CacheEntry | undefined;
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
  /** Entra gave it just now. */
  readonly asked: boolean;
}

/** A kept token is given out until this long before its end, so that its user has time to use it. */
const LEEWAY_SECONDS = 120;
/** Renewed this long before it stops being given out: Entra may be away for that long and nobody notices. */
const RENEW_AHEAD_SECONDS = 600;
/** Between two renewals of one entry, whatever Entra answers. */
const RENEW_PAUSE_SECONDS = 30;
/** What an entry weighs besides its token: key, record, list links; measured at about 700 bytes. */
const ENTRY_OVERHEAD_BYTES = 1_024;

export function createMemoryCache({
  maxBytes,
  nowSeconds,
}: {
  readonly maxBytes: number;
  readonly nowSeconds: () => number;
}): MemoryCache {
  const kept = new LRUCache<string, CacheEntry>({
    maxSize: maxBytes,
    sizeCalculation: (entry, key) => ENTRY_OVERHEAD_BYTES + key.length + sizeOf(entry.token),
  });
  return {
    size: () => ({ entries: kept.size, bytes: kept.calculatedSize }),
    find(key) {
      const entry = kept.get(key);
      if (entry !== undefined && entry.endSeconds <= nowSeconds()) {
        kept.delete(key);
        return undefined;
      }
      return entry;
    },
    keep(key, { token, notAfterSeconds, order, asked }) {
      const now = nowSeconds();
      const endSeconds = Math.min(token.expiresAtSeconds, notAfterSeconds ?? Number.POSITIVE_INFINITY);
      const untilSeconds = endSeconds - leewaySeconds(endSeconds - now);
      const known = kept.peek(key);
      if (untilSeconds <= now || (known !== undefined && known.order > order)) return undefined;
      const entry: CacheEntry = {
        token: toCachedToken(token),
        untilSeconds,
        endSeconds,
        renewAtSeconds: token.expiresAtSeconds > endSeconds ? undefined : renewAt(token, untilSeconds, now),
        renewalFailures: 0,
        warning: undefined,
        calledAtSeconds: asked ? now : undefined,
        order,
      };
      kept.set(key, entry);
      return entry;
    },
  };
}

/** Two minutes, or half the life of a token that lives less than four. */
function leewaySeconds(lifetimeSeconds: number): number {
  return Math.min(LEEWAY_SECONDS, Math.max(0, lifetimeSeconds) / 2);
}

/** When Entra suggests (long-lived tokens), else some time before the end; never at once. */
function renewAt({ refreshAtSeconds }: EntraToken, untilSeconds: number, now: number): number {
  const ahead = untilSeconds - Math.min(RENEW_AHEAD_SECONDS, (untilSeconds - now) / 2);
  return Math.max(Math.min(refreshAtSeconds ?? ahead, ahead), now + RENEW_PAUSE_SECONDS);
}

function sizeOf(token: CachedToken): number {
  return token.accessToken.length + token.scopes.reduce((size, scope) => size + scope.length, 0);
}
