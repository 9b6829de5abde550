/**
 * Builds level 2: credentials, connection, secret, cache. Problems are reported as events, at most one of each kind a
 * minute.
 */
import type { SharedCounters } from "../../admission/request-rates.ts";
import { REDIS_DEADLINE_MS } from "../../core/limits.ts";
import type { SharedMarks } from "../shared-marks.ts";
import type { SharedTokens } from "../shared-tokens.ts";
import { type CacheSecretInput, createCacheSecret } from "./cache-secret.ts";
import { createCallRedis } from "./call-redis.ts";
import { createRedisCache } from "./redis-cache.ts";
import { connectToRedis } from "./redis-connection.ts";
import { createRedisCredentials, type RedisToken } from "./redis-credentials.ts";
import { createRedisMarks } from "./redis-marks.ts";

export interface RedisLevelInput {
  readonly url: string;
  /** The service identity's token for Redis; undefined: a server without authentication. */
  readonly token: RedisToken | undefined;
  readonly readSecret: CacheSecretInput["read"];
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number;
  readonly onEvent: (event: RedisEvent) => void;
  /** Default `REDIS_DEADLINE_MS`. Tests that do not check the deadline use a longer one. */
  readonly deadlineMs?: number;
}

export interface RedisEvent {
  readonly name: "redis_problem" | "redis_given_up" | "redis_back" | "cache_key_problem";
  readonly reason?: string;
}

export interface RedisLevel extends SharedTokens, SharedMarks, SharedCounters {
  close(): void;
}

const EVENT_EVERY_MS = 60_000;

/** Resolves once there is a connection and a secret. A failure of Redis, the vault or the identity never rejects. */
export async function createRedisLevel(input: RedisLevelInput): Promise<RedisLevel> {
  const { url, token, readSecret, nowMs, steadyMs } = input;
  const report = atMostEvery(EVENT_EVERY_MS, steadyMs, input.onEvent);
  const onProblem = (reason: string) => report({ name: "redis_problem", reason });
  const credentials = token === undefined ? undefined : createRedisCredentials({ token, nowMs, onProblem });
  const connection = connectToRedis({ url, credentials, onProblem });
  const secret = createCacheSecret({
    read: readSecret,
    steadyMs,
    onProblem: (reason) => report({ name: "cache_key_problem", reason }),
  });
  const callRedis = createCallRedis({
    connection,
    steadyMs,
    deadlineMs: input.deadlineMs ?? REDIS_DEADLINE_MS,
    onChange: ({ open, reason }) =>
      report(open ? { name: "redis_given_up", ...(reason === undefined ? {} : { reason }) } : { name: "redis_back" }),
  });
  const cache = createRedisCache({ callRedis, secret, nowSeconds: () => Math.floor(nowMs() / 1_000) });
  const marks = createRedisMarks({ callRedis, secret });
  await Promise.all([connection.connected, secret.ready()]);
  return { ...cache, ...marks, close: connection.close };
}

function atMostEvery(intervalMs: number, steadyMs: () => number, report: (event: RedisEvent) => void) {
  const reportedAtMs = new Map<RedisEvent["name"], number>();
  return (event: RedisEvent): void => {
    const now = steadyMs();
    if (now - (reportedAtMs.get(event.name) ?? Number.NEGATIVE_INFINITY) >= intervalMs) {
      reportedAtMs.set(event.name, now);
      report(event);
    }
  };
}
