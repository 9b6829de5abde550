/**
 * A short memory of Entra's throttling, user by user: whoever was told to wait is told again, with what is left of the
 * wait, and Entra is not asked. Nobody else is touched (MSAL's own memory blocks everybody, which is why it is not used).
 * Bounded in users; the clock is given.
 */
import { LRUCache } from "lru-cache";

/** Users remembered at once. One who is forgotten costs Entra one more request. */
const USERS_MAX = 10_000;

export interface ThrottleMemory {
  /** Seconds this one still has to wait; undefined: none. */
  remaining(who: string): number | undefined;
  remember(who: string, retryAfterSeconds: number): void;
}

export function createThrottleMemory(nowSeconds: () => number): ThrottleMemory {
  const until = new LRUCache<string, number>({ max: USERS_MAX });
  return {
    remaining(who) {
      const left = (until.get(who) ?? 0) - nowSeconds();
      return left > 0 ? left : undefined;
    },
    remember: (who, retryAfterSeconds) => void until.set(who, nowSeconds() + retryAfterSeconds),
  };
}
