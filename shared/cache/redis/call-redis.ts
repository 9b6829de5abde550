/**
 * One command to Redis with its time limit. Failures count against a circuit breaker, which all commands of a level
 * share.
 */
import { beforeDeadline, DeadlineError } from "../../core/deadline.ts";
import { createCircuitBreaker } from "./circuit-breaker.ts";
import { codeOf, type RedisCommands, type RedisConnection } from "./redis-connection.ts";

/** Undefined: Redis gave no usable reply. */
export type CallRedis = <T>(
  command: (redis: RedisCommands) => Promise<T>,
) => Promise<{ readonly reply: T } | undefined>;

export interface CallRedisInput {
  readonly connection: RedisConnection;
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number;
  /** The time limit of one command. */
  readonly deadlineMs: number;
  /** The circuit breaker has opened or closed. */
  readonly onChange: (change: { readonly open: boolean; readonly reason?: string }) => void;
}

export function createCallRedis({ connection, steadyMs, deadlineMs, onChange }: CallRedisInput): CallRedis {
  const breaker = createCircuitBreaker({ steadyMs, onChange });
  return async (command) => {
    const redis = connection.commands();
    if (redis === undefined || !breaker.allowsCall()) return undefined;
    try {
      const reply = await beforeDeadline(command(redis), deadlineMs);
      breaker.succeeded();
      return { reply };
    } catch (error) {
      const code = error instanceof DeadlineError ? "late" : codeOf(error);
      // A full server has answered in time, so the circuit stays closed.
      if (code === "OOM") {
        breaker.succeeded();
      } else {
        breaker.failed(code);
      }
      return undefined;
    }
  };
}
