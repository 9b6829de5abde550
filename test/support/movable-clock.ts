/**
 * One clock for the service and the local tenant. Until a test moves it, it agrees with the system clock, which MSAL
 * and the identity SDK read.
 */
import type { LocalTenant } from "../../local/tenant/local-tenant.ts";

export interface MovableClock {
  nowMs(): number;
  steadyMs(): number;
  advance(ms: number): void;
  /** Back to the true time. */
  reset(): void;
}

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

export function movableClock(tenant: LocalTenant): MovableClock {
  let offsetMs = 0;
  const move = (to: number) => {
    offsetMs = to;
    tenant.state.setClockOffset({ offsetMs });
  };
  return {
    nowMs: () => Date.now() + offsetMs,
    steadyMs: () => performance.now() + offsetMs,
    advance: (ms) => move(offsetMs + ms),
    reset: () => move(0),
  };
}
