/** How many requests of one client the service accepts: the limits of its policy entry. Pure. */
import type { CallerRule } from "./rules.ts";

/** Several times what a busy application has under way at once; a quarter of what an instance accepts in total. */
const DEFAULT_REQUESTS_AT_ONCE = 128;

export interface RequestLimits {
  /** Requests that one instance works on or keeps waiting at once. */
  readonly atOnce: number;
  /** Requests in a minute, on all instances. Undefined: no limit. */
  readonly perMinute: number | undefined;
}

export function requestLimits({ limits }: Pick<CallerRule, "limits">): RequestLimits {
  const { requestsAtOnce = DEFAULT_REQUESTS_AT_ONCE, requestsPerMinute } = limits;
  return { atOnce: requestsAtOnce, perMinute: requestsPerMinute };
}
