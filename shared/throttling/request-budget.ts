/**
 * Limits how often a user of one policy entry may bypass the cache (claims, forceRefresh), miss it or cause a refusal by
 * Entra.
 * Without the limit, one caller could make Entra throttle the whole registration. Each limit is a fixed window of one
 * minute; the number of users is bounded.
 */
import { createBoundedMemory } from "./bounded-memory.ts";

/** Users remembered at once; the least recently seen are evicted first. */
const USERS_MAX = 10_000;
const WINDOW_SECONDS = 60;

export interface RequestBudget {
  /** Spends one request of the user's budget. Returns the seconds to wait if the budget is used up. */
  take(user: string, perMinute: number): number | undefined;
  /** The seconds to wait if the budget is used up. Spends nothing. */
  wait(user: string, perMinute: number): number | undefined;
}

export function createRequestBudget(nowSeconds: () => number): RequestBudget {
  const windows = createBoundedMemory<{ endsAt: number; taken: number }>(USERS_MAX);
  const windowOf = (user: string) => {
    const known = windows.get(user);
    return known !== undefined && known.endsAt > nowSeconds()
      ? known
      : { endsAt: nowSeconds() + WINDOW_SECONDS, taken: 0 };
  };
  const wait = (user: string, perMinute: number): number | undefined => {
    const { endsAt, taken } = windowOf(user);
    return taken >= perMinute ? Math.ceil(endsAt - nowSeconds()) : undefined;
  };
  return {
    wait,
    take(user, perMinute) {
      const { endsAt, taken } = windowOf(user);
      const refused = wait(user, perMinute);
      if (refused === undefined) {
        windows.set(user, { endsAt, taken: taken + 1 });
      }
      return refused;
    },
  };
}
