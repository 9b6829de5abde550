/**
 * Keeps tokens in the process: bounded in bytes, least recently used out first, one call to Entra for identical
 * concurrent wishes, failures never kept. This cache is authoritative; MSAL's is not used (see `entra/`). Refresh tokens
 * never enter it. Policy runs before every look-up and the release check after it, so a hit is no short cut past either.
 */
import { LRUCache } from "lru-cache";
import type { EntraToken } from "../entra/entra-token.ts";
import type { Failure } from "../failure.ts";
import { type Result, succeed } from "../result.ts";

/** A token fit for keeping: no refresh token, and nothing that only the first caller needs. */
export interface CachedToken extends Omit<EntraToken, "refreshToken"> {
  readonly refreshToken: undefined;
}

/** How the token was come by, for the audit trail. */
export type CacheLevel = "hit" | "joined" | "miss" | "bypass";

export interface CacheAnswer {
  readonly token: EntraToken;
  readonly level: CacheLevel;
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

export interface TokenCache {
  getOrAcquire(
    lookUp: LookUp,
    acquire: () => Promise<Result<EntraToken, Failure>>,
  ): Promise<Result<CacheAnswer, Failure>>;
}

/** A kept token is given out until this long before its end, so that its user has time to use it. */
const LEEWAY_SECONDS = 120;
/** What an entry weighs besides its token: key, record, list links; measured at about 700 bytes. */
const ENTRY_OVERHEAD_BYTES = 1_024;

export interface TokenCacheOptions {
  readonly maxBytes: number;
  readonly nowSeconds: () => number;
}

export function createTokenCache({ maxBytes, nowSeconds }: TokenCacheOptions): TokenCache {
  const kept = new LRUCache<string, { token: CachedToken; untilSeconds: number }>({
    maxSize: maxBytes,
    sizeCalculation: (entry, key) => ENTRY_OVERHEAD_BYTES + key.length + sizeOf(entry.token),
  });
  const inFlight = new Map<string, Promise<Result<EntraToken, Failure>>>();

  /** A usable entry; one that is over is dropped. */
  const lookIn = ({ key, minimumSeconds }: LookUp): CachedToken | undefined => {
    const entry = kept.get(key);
    if (entry === undefined) {
      return undefined;
    }
    const now = nowSeconds();
    if (entry.untilSeconds <= now) {
      kept.delete(key);
      return undefined;
    }
    return entry.token.expiresAtSeconds - now >= minimumSeconds ? entry.token : undefined;
  };

  const keep = ({ key, notAfterSeconds }: LookUp, token: EntraToken): void => {
    const end = Math.min(token.expiresAtSeconds, notAfterSeconds ?? Number.POSITIVE_INFINITY);
    const untilSeconds = end - leewaySeconds(end - nowSeconds());
    if (untilSeconds > nowSeconds()) {
      kept.set(key, { token: { ...token, refreshToken: undefined }, untilSeconds });
    }
  };

  const acquireAndKeep = async (
    lookUp: LookUp,
    acquire: () => Promise<Result<EntraToken, Failure>>,
  ): Promise<Result<EntraToken, Failure>> => {
    const acquired = await acquire();
    if (acquired.ok) {
      keep(lookUp, acquired.value);
    }
    return acquired;
  };

  return {
    async getOrAcquire(lookUp, acquire) {
      if (lookUp.bypass) {
        return toAnswer(await acquireAndKeep(lookUp, acquire), "bypass");
      }
      const token = lookIn(lookUp);
      if (token !== undefined) {
        return succeed({ token, level: "hit" });
      }
      const running = inFlight.get(lookUp.key);
      if (running !== undefined) {
        return toAnswer(await running, "joined");
      }
      const started = acquireAndKeep(lookUp, acquire).finally(() => inFlight.delete(lookUp.key));
      inFlight.set(lookUp.key, started);
      return toAnswer(await started, "miss");
    },
  };
}

/** Two minutes, or half the life of a token that lives less than four. */
function leewaySeconds(lifetimeSeconds: number): number {
  return Math.min(LEEWAY_SECONDS, Math.max(0, lifetimeSeconds) / 2);
}

function sizeOf(token: CachedToken): number {
  return token.accessToken.length + token.scopes.reduce((size, scope) => size + scope.length, 0);
}

function toAnswer(result: Result<EntraToken, Failure>, level: CacheLevel): Result<CacheAnswer, Failure> {
  return result.ok ? succeed({ token: result.value, level }) : result;
}
