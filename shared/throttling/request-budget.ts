/**
 * How often a user of one policy entry may go past the cache (claims, forceRefresh) or make Entra refuse, so that nobody
 * uses this service as a hammer on Entra, which would throttle the registration for everybody. A fixed window of one
 * minute for each, bounded in number.
 */
import { LRUCache } from "lru-cache";

/** Users remembered at once; the least recently seen are forgotten first. */
const USERS_MAX = 10_000;
const WINDOW_SECONDS = 60;

export interface RequestBudget {
  /** Takes one from the user's budget: undefined, or the seconds to wait when it is used up. */
  take(user: string, perMinute: number): number | undefined;
  /** Looks without taking. */
  wait(user: string, perMinute: number): number | undefined;
}

export function createRequestBudget(nowSeconds: () => number): RequestBudget {
  const windows = new LRUCache<string, { endsAt: number; taken: number }>({ max: USERS_MAX });
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
