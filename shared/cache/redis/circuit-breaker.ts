/**
 * A circuit breaker: after repeated failures it allows no calls for some seconds, then one call that shows whether the
 * server works again. The clock is given.
 */
export interface CircuitBreaker {
  /** Whether a call may be made now. After a true, `succeeded` or `failed` must follow. */
  allowsCall(): boolean;
  succeeded(): void;
  failed(reason: string): void;
}

export interface CircuitBreakerInput {
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number;
  /** Called when the circuit opens (with the reason of the last failure) and when it closes again. Must not throw. */
  readonly onChange: (change: { readonly open: boolean; readonly reason?: string }) => void;
}

/** One slow reply may be chance; five failures in a row are not. */
const FAILURES_MAX = 5;
/** Few enough probes to cost nothing, and a restarted server is still used soon. */
const OPEN_MS = 5_000;

export function createCircuitBreaker({ steadyMs, onChange }: CircuitBreakerInput): CircuitBreaker {
  let failures = 0;
  let nextProbeAtMs = Number.NEGATIVE_INFINITY;
  return {
    allowsCall() {
      if (failures < FAILURES_MAX) return true;
      const now = steadyMs();
      if (now < nextProbeAtMs) return false;
      // One probe. No other call is allowed until it succeeds or the next probe is due.
      nextProbeAtMs = now + OPEN_MS;
      return true;
    },
    succeeded() {
      const wasOpen = failures >= FAILURES_MAX;
      failures = 0;
      if (wasOpen) {
        onChange({ open: false });
      }
    },
    failed(reason) {
      failures += 1;
      nextProbeAtMs = steadyMs() + OPEN_MS;
      if (failures === FAILURES_MAX) {
        onChange({ open: true, reason });
      }
    },
  };
}
