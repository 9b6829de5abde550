/**
 * One clock for the service and the local tenant. Until a test moves it, it agrees with the system clock, which MSAL
 * and the identity SDK read. The SDKs keep the token for Key Vault until the system clock says that it has expired, so a
 * test that moves this clock by a day or more needs `frozenDate`.
 */
import { vi } from "vitest";
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

/**
 * `Date` itself, for everything in this process, the SDKs included. It stands still from the first `advance` on. For
 * tests that run through days.
 */
export function frozenDate(): MovableClock {
  return {
    nowMs: () => Date.now(),
    steadyMs: () => Date.now(),
    advance: (ms) => void vi.setSystemTime(Date.now() + ms),
    reset: () => void vi.useRealTimers(),
  };
}
