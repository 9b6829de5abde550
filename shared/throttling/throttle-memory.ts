/**
 * Remembers for each user how long Entra asked to wait. During the wait, the same user gets the remaining seconds and
 * the service does not call Entra. Other users are not affected. MSAL's own throttling memory affects all users, so it
 * is not used. Bounded in users; the caller provides the clock.
 */
import { createBoundedMemory } from "./bounded-memory.ts";

/** Users remembered at once. For a user that was evicted, the service calls Entra once more. */
const USERS_MAX = 10_000;

export interface ThrottleMemory {
  /** Seconds that this user or caller still has to wait. Undefined: no wait is running. */
  remaining(who: string): number | undefined;
  remember(who: string, retryAfterSeconds: number): void;
}

export function createThrottleMemory(nowSeconds: () => number): ThrottleMemory {
  const until = createBoundedMemory<number>(USERS_MAX);
  return {
    remaining(who) {
      const left = (until.get(who) ?? 0) - nowSeconds();
      return left > 0 ? left : undefined;
    },
    remember: (who, retryAfterSeconds) => void until.set(who, nowSeconds() + retryAfterSeconds),
  };
}
