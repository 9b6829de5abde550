/**
 * How often a user may go past the cache (claims, forceRefresh), so that nobody uses this service as a hammer on Entra,
 * which would throttle the registration for everybody. A fixed window of one minute for each user, bounded in users.
 */
import { LRUCache } from "lru-cache";

/** Users remembered at once; the least recently seen are forgotten first. */
const USERS_MAX = 10_000;
const WINDOW_SECONDS = 60;

export interface BypassBudget {
  /** Takes one from the user's budget: undefined, or the seconds to wait when it is used up. */
  take(user: string, perMinute: number): number | undefined;
}

export function createBypassBudget(nowSeconds: () => number): BypassBudget {
  const windows = new LRUCache<string, { endsAt: number; taken: number }>({ max: USERS_MAX });
  return {
    take(user, perMinute) {
      const now = nowSeconds();
      const known = windows.get(user);
      const current = known !== undefined && known.endsAt > now ? known : { endsAt: now + WINDOW_SECONDS, taken: 0 };
      if (current.taken >= perMinute) {
        return Math.ceil(current.endsAt - now);
      }
      windows.set(user, { endsAt: current.endsAt, taken: current.taken + 1 });
      return undefined;
    },
  };
}
