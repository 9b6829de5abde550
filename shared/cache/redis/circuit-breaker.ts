/**
 * Stops asking something that keeps failing, and lets one question through now and then to see whether it is back. The
 * clock is given.
 */
export interface CircuitBreaker {
  /** Whether to ask now. After a true, `succeeded` or `failed` must follow. */
  mayAsk(): boolean;
  succeeded(): void;
  failed(reason: string): void;
}

export interface CircuitBreakerInput {
  /** Milliseconds of a clock that never goes back. */
  readonly steadyMs: () => number;
  /** Told when it opens (with what failed last) and when it closes again. Must not throw. */
  readonly onChange: (change: { readonly open: boolean; readonly reason?: string }) => void;
}

/** One slow answer is nothing; five in a row are a pattern. */
const FAILURES_MAX = 5;
/** Long enough to cost nothing, short enough for a restart to be noticed soon. */
const OPEN_MS = 5_000;

export function createCircuitBreaker({ steadyMs, onChange }: CircuitBreakerInput): CircuitBreaker {
  let failures = 0;
  let nextAskAtMs = Number.NEGATIVE_INFINITY;
  return {
    mayAsk() {
      if (failures < FAILURES_MAX) return true;
      const now = steadyMs();
      if (now < nextAskAtMs) return false;
      // One probe; the others wait for what it finds.
      nextAskAtMs = now + OPEN_MS;
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
      nextAskAtMs = steadyMs() + OPEN_MS;
      if (failures === FAILURES_MAX) {
        onChange({ open: true, reason });
      }
    },
  };
}
