/** Level 2 of one instance, against a real server. */
import { setTimeout as pause } from "node:timers/promises";
import type { CachedToken } from "../../../../../shared/cache/cached-token.ts";
import {
  createRedisLevel,
  type RedisEvent,
  type RedisLevel,
  type RedisLevelInput,
} from "../../../../../shared/cache/redis/redis-level.ts";
import { succeed } from "../../../../../shared/core/result.ts";
import { SecretValue } from "../../../../../shared/core/secret-value.ts";

export const SECRET = Buffer.alloc(32, 7).toString("base64");

export interface Instance {
  readonly level: RedisLevel;
  readonly events: RedisEvent[];
}

const opened: RedisLevel[] = [];

export async function openLevel(url: string, changes: Partial<RedisLevelInput> = {}): Promise<Instance> {
  const events: RedisEvent[] = [];
  const level = await createRedisLevel({
    url,
    token: undefined,
    readSecret: async () => succeed({ value: new SecretValue(SECRET) }),
    nowMs: () => Date.now(),
    steadyMs: () => performance.now(),
    onEvent: (event) => events.push(event),
    // With the service's 50 ms, a slow machine would turn a hit into a miss.
    deadlineMs: 10_000,
    ...changes,
  });
  opened.push(level);
  return { level, events };
}

export function closeLevels(): void {
  for (const level of opened.splice(0)) {
    level.close();
  }
}

export const inAnHour = () => Math.floor(Date.now() / 1_000) + 3_600;

export function cachedToken(name: string, expiresAtSeconds = inAnHour()): CachedToken {
  return {
    accessToken: new SecretValue(name),
    expiresAtSeconds,
    refreshAtSeconds: undefined,
    scopes: ["User.Read", "Mail.Read"],
    refreshToken: undefined,
    acquiredAtSeconds: 1_000_000,
    user: { tenantId: "t", objectId: "o" },
  };
}

/** Waits until the condition holds: the time that a server or a reconnection needs is unknown. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    if (await condition()) return;
    await pause(10);
  }
  throw new Error("the condition did not become true");
}
