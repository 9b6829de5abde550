/**
 * Level 2, put together: credentials, connection, secret, cache. What the operator should know of it goes out as events,
 * of each kind at most one a minute.
 */
import { REDIS_DEADLINE_MS } from "../../core/limits.ts";
import type { SharedTokens } from "../shared-tokens.ts";
import { type CacheSecretInput, createCacheSecret } from "./cache-secret.ts";
import { createRedisCache } from "./redis-cache.ts";
import { connectToRedis } from "./redis-connection.ts";
import { createRedisCredentials, type RedisToken } from "./redis-credentials.ts";

export interface RedisLevelInput {
  readonly url: string;
  /** Our identity's token for Redis; undefined: a server without authentication. */
  readonly token: RedisToken | undefined;
  readonly readSecret: CacheSecretInput["read"];
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly steadyMs: () => number;
  readonly onEvent: (event: RedisEvent) => void;
  /** Default `REDIS_DEADLINE_MS`. Tests that do not check the deadline use a longer one. */
  readonly deadlineMs?: number;
}

export interface RedisEvent {
  readonly name: "redis_problem" | "redis_given_up" | "redis_back" | "cache_key_problem";
  readonly reason?: string;
}

export interface RedisLevel extends SharedTokens {
  close(): void;
}

const EVENT_EVERY_MS = 60_000;

/** Resolves once there is a connection and a secret. Nothing here rejects because of Redis, the vault or the identity. */
export async function createRedisLevel(input: RedisLevelInput): Promise<RedisLevel> {
  const { url, token, readSecret, nowMs, steadyMs } = input;
  const tell = atMostEvery(EVENT_EVERY_MS, steadyMs, input.onEvent);
  const onProblem = (reason: string) => tell({ name: "redis_problem", reason });
  const credentials = token === undefined ? undefined : createRedisCredentials({ token, nowMs, onProblem });
  const connection = connectToRedis({ url, credentials, onProblem });
  const secret = createCacheSecret({
    read: readSecret,
    steadyMs,
    onProblem: (reason) => tell({ name: "cache_key_problem", reason }),
  });
  const cache = createRedisCache({
    connection,
    secret,
    nowSeconds: () => Math.floor(nowMs() / 1_000),
    steadyMs,
    deadlineMs: input.deadlineMs ?? REDIS_DEADLINE_MS,
    onChange: ({ open, reason }) =>
      tell(open ? { name: "redis_given_up", ...(reason === undefined ? {} : { reason }) } : { name: "redis_back" }),
  });
  await Promise.all([connection.connected, secret.ready()]);
  return { ...cache, close: connection.close };
}

function atMostEvery(intervalMs: number, steadyMs: () => number, tell: (event: RedisEvent) => void) {
  const told = new Map<RedisEvent["name"], number>();
  return (event: RedisEvent): void => {
    const now = steadyMs();
    if (now - (told.get(event.name) ?? Number.NEGATIVE_INFINITY) >= intervalMs) {
      told.set(event.name, now);
      tell(event);
    }
  };
}
