/**
 * Level 2 in Redis. A look-up is one round trip and waits 50 ms at most. Failures count against a circuit breaker;
 * otherwise the cache behaves as if there were no Redis. Entries are sealed (`sealed-entry.ts`) and expire in Redis. A
 * lazy part of the bundle: loaded if `REDIS_URL` is set.
 */
import { randomUUID } from "node:crypto";
import type { SharedCounters } from "../../admission/request-rates.ts";
import type { CachedToken } from "../cached-token.ts";
import type { Found, SharedTokens } from "../shared-tokens.ts";
import type { CacheSecret } from "./cache-secret.ts";
import type { CallRedis } from "./call-redis.ts";
import { codeOf, type RedisCommands } from "./redis-connection.ts";
import { sealEntry, sealText, unsealEntry, unsealText } from "./sealed-entry.ts";

export interface RedisCacheInput {
  readonly callRedis: CallRedis;
  readonly secret: CacheSecret;
  readonly nowSeconds: () => number;
}

/** Begins every key: the service and the version of the format of its values. */
export const PREFIX = "gte1:";
/** First byte of a lease; an entry begins with another byte. */
const LEASE_MARK = "L".charCodeAt(0);
/** An instance that crashes with a lease delays the others for this long at most. */
const LEASE_MS = 3_000;

export function createRedisCache({ callRedis, secret, nowSeconds }: RedisCacheInput): SharedTokens & SharedCounters {
  const find = async (key: string): Promise<CachedToken | undefined> => {
    const currentSecret = secret.current();
    const found = currentSecret === undefined ? undefined : await callRedis((redis) => redis.get(PREFIX + key));
    return currentSecret === undefined || !found?.reply
      ? undefined
      : unsealUnexpired(currentSecret, key, found.reply, nowSeconds());
  };

  return {
    find,
    async findOrLease(key): Promise<Found> {
      const currentSecret = secret.current();
      const lease = `L${randomUUID()}`;
      const found =
        currentSecret === undefined
          ? undefined
          : await callRedis((redis) => getOrLease(redis, PREFIX + key, Buffer.from(lease)));
      if (currentSecret === undefined || found === undefined || found.reply === "full") return { kind: "unavailable" };
      if (found.reply === null) return { kind: "leased", lease };
      if (found.reply[0] === LEASE_MARK) return { kind: "busy" };
      const token = unsealUnexpired(currentSecret, key, found.reply, nowSeconds());
      return token === undefined ? { kind: "unavailable" } : { kind: "token", token };
    },
    async findInFamily(family) {
      const currentSecret = secret.current();
      const found = currentSecret === undefined ? undefined : await callRedis((redis) => redis.get(PREFIX + family));
      const key =
        currentSecret === undefined || !found?.reply ? undefined : unsealText(currentSecret, family, found.reply);
      const token = key === undefined ? undefined : await find(key);
      return key === undefined || token === undefined ? undefined : { key, token };
    },
    async put(key, token, untilSeconds, family) {
      const currentSecret = secret.current();
      const ttlMs = Math.floor((untilSeconds - nowSeconds()) * 1_000);
      if (currentSecret === undefined || ttlMs <= 0) return;
      const stored = callRedis((redis) => redis.set(PREFIX + key, sealEntry(currentSecret, key, token), ttlMs));
      if (family === undefined) return void (await stored);
      // Sealed, because a key that Redis could replace would lead to the token of another identity.
      const pointer = sealText(currentSecret, family, key);
      await Promise.all([stored, callRedis((redis) => redis.set(PREFIX + family, pointer, ttlMs))]);
    },
    async count(key, by, ttlMs) {
      const sum = (await callRedis((redis) => redis.add(PREFIX + key, by, ttlMs)))?.reply;
      return Number.isSafeInteger(sum) ? sum : undefined;
    },
    async release(key, lease) {
      await callRedis((redis) => redis.deleteIf(PREFIX + key, Buffer.from(lease)));
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** A full server that may not evict refuses to store the lease. Its entries can still be read. */
async function getOrLease(redis: RedisCommands, key: string, lease: Buffer): Promise<Buffer | null | "full"> {
  try {
    return await redis.setIfAbsent(key, lease, LEASE_MS);
  } catch (error) {
    if (codeOf(error) !== "OOM") throw error;
    return (await redis.get(key)) ?? "full";
  }
}

/** The time of expiry is sealed in, so an old entry that was written back to Redis is not used. */
function unsealUnexpired(secret: Uint8Array, key: string, entry: Buffer, now: number): CachedToken | undefined {
  const token = unsealEntry(secret, key, entry);
  return token !== undefined && token.expiresAtSeconds > now ? token : undefined;
}
