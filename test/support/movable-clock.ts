/**
 * One clock for the service and the local tenant that a test moves. It runs on by itself, so that libraries with a clock
 * of their own (MSAL, the identity SDK) agree with it until it is moved.
 */
import type { LocalWorld } from "./service-under-test.ts";

export interface MovableClock {
  /** For `serve({ surroundings })`. */
  readonly surroundings: { nowMs(): number; steadyMs(): number };
  advance(ms: number): void;
  /** Back to now, for the next test. */
  reset(): void;
}

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

export function movableClock({ tenant }: Pick<LocalWorld, "tenant">): MovableClock {
  let offsetMs = 0;
  const move = (to: number) => {
    offsetMs = to;
    tenant.state.setClockOffset({ offsetMs });
  };
  return {
    surroundings: { nowMs: () => Date.now() + offsetMs, steadyMs: () => performance.now() + offsetMs },
    advance: (ms) => move(offsetMs + ms),
    reset: () => move(0),
  };
}
