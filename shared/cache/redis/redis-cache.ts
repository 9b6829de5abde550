/**
 * Level 2 in Redis. One round trip a look-up, 50 ms at most; what goes wrong counts against a circuit breaker and is
 * otherwise as if there were no Redis. Entries are sealed (`sealed-entry.ts`) and end by themselves. A lazy part of the
 * bundle: loaded where `REDIS_URL` is set.
 */
import { randomUUID } from "node:crypto";
import type { CachedToken } from "../cached-token.ts";
import type { Found, SharedTokens } from "../shared-tokens.ts";
import type { CacheSecret } from "./cache-secret.ts";
import { createCircuitBreaker } from "./circuit-breaker.ts";
import { codeOf, type RedisCommands, type RedisConnection } from "./redis-connection.ts";
import { openEntry, sealEntry } from "./sealed-entry.ts";

export interface RedisCacheInput {
  readonly connection: RedisConnection;
  readonly secret: CacheSecret;
  readonly nowSeconds: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly steadyMs: () => number;
  /** The time limit of one command. */
  readonly deadlineMs: number;
  /** Redis is given up for now, or back. */
  readonly onChange: (change: { readonly open: boolean; readonly reason?: string }) => void;
}

/** Before every key: what it is and the version of what is under it. */
const PREFIX = "gte1:";
/** Marks a lease; entries begin with a byte of another kind. */
const LEASE_MARK = "L".charCodeAt(0);
/** An instance that dies with a lease blocks the others for no longer than this. */
const LEASE_MS = 3_000;

/** Undefined: Redis could not be asked. */
type GrantRequest = <T>(command: (redis: RedisCommands) => Promise<T>) => Promise<{ readonly reply: T } | undefined>;

export function createRedisCache(input: RedisCacheInput): SharedTokens {
  const { secret, nowSeconds } = input;
  const ask = createAsk(input);

  const find = async (key: string): Promise<CachedToken | undefined> => {
    const held = secret.held();
    const found = held === undefined ? undefined : await ask((redis) => redis.get(PREFIX + key));
    return held === undefined || !found?.reply ? undefined : open(held, key, found.reply, nowSeconds());
  };

  return {
    find,
    async findOrLease(key): Promise<Found> {
      const held = secret.held();
      const lease = `L${randomUUID()}`;
      const found =
        held === undefined ? undefined : await ask((redis) => lookOrLease(redis, PREFIX + key, Buffer.from(lease)));
      if (held === undefined || found === undefined || found.reply === "full") return { kind: "away" };
      if (found.reply === null) return { kind: "leased", lease };
      if (found.reply[0] === LEASE_MARK) return { kind: "busy" };
      const token = open(held, key, found.reply, nowSeconds());
      return token === undefined ? { kind: "away" } : { kind: "token", token };
    },
    async put(key, token, untilSeconds) {
      const held = secret.held();
      const ttlMs = Math.floor((untilSeconds - nowSeconds()) * 1_000);
      if (held !== undefined && ttlMs > 0) {
        await ask((redis) => redis.set(PREFIX + key, sealEntry(held, key, token), ttlMs));
      }
    },
    async release(key, lease) {
      await ask((redis) => redis.deleteIf(PREFIX + key, Buffer.from(lease)));
    },
  };
}

/** A full server that may not evict refuses the lease; what it holds can still be read. */
async function lookOrLease(redis: RedisCommands, key: string, lease: Buffer): Promise<Buffer | null | "full"> {
  try {
    return await redis.setIfAbsent(key, lease, LEASE_MS);
  } catch (error) {
    if (codeOf(error) !== "OOM") throw error;
    return (await redis.get(key)) ?? "full";
  }
}

/** The end is sealed in: an entry that somebody kept and put back is over all the same. */
function open(secret: Uint8Array, key: string, entry: Buffer, now: number): CachedToken | undefined {
  const token = openEntry(secret, key, entry);
  return token !== undefined && token.expiresAtSeconds > now ? token : undefined;
}

function createAsk({ connection, steadyMs, deadlineMs, onChange }: RedisCacheInput): GrantRequest {
  const breaker = createCircuitBreaker({ steadyMs, onChange });
  return async (command) => {
    const redis = connection.commands();
    if (redis === undefined || !breaker.mayAsk()) return undefined;
    try {
      const reply = await inTime(command(redis), deadlineMs);
      breaker.succeeded();
      return { reply };
    } catch (error) {
      const code = codeOf(error);
      // "Full" is an answer, and a quick one.
      if (code === "OOM") {
        breaker.succeeded();
      } else {
        breaker.failed(code);
      }
      return undefined;
    }
  };
}

class LateError extends Error {
  readonly code = "late";
}

/** Late means that Redis is: an answer that lies read and waits for this busy process gets one turn more. */
async function inTime<T>(reply: Promise<T>, deadlineMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => setImmediate(() => late.reject(new LateError())), deadlineMs);
  try {
    return await Promise.race([reply, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
