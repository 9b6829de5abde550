/**
 * When and how often a stored value is refreshed: one attempt at a time, and a time before which no new attempt is due.
 * The owner stores the value and sets the pause; the clock is injected. No I/O.
 */

export interface BackgroundRefresh<Arguments extends readonly unknown[] = [], Value = void> {
  /** True before the first pause is set. */
  isDue(): boolean;
  isRunning(): boolean;
  /** No attempt is due until this pause has passed. */
  pause(milliseconds: number): void;
  /** Joins the running attempt or starts one, due or not. Rejects if the attempt rejects. */
  run(...args: Arguments): Promise<Value>;
  /** As `run`, but starts an attempt only if one is due. Undefined: none is running or due. */
  runIfDue(...args: Arguments): Promise<Value> | undefined;
  /** Starts an attempt if one is due and none is running. The caller does not wait and sees no rejection. */
  startIfDue(...args: Arguments): void;
}

export interface BackgroundRefreshInput<Arguments extends readonly unknown[], Value> {
  readonly attempt: (...args: Arguments) => Promise<Value>;
  /** Milliseconds; only differences count. */
  readonly nowMs: () => number;
  /** A longer wait than this means that the clock was set back: an attempt is due. Default: no limit. */
  readonly pauseMaxMs?: number;
  /** An attempt that `startIfDue` started has rejected. Default: the rejection is dropped. */
  readonly onRejected?: (error: unknown) => void;
}

export function createBackgroundRefresh<Arguments extends readonly unknown[] = [], Value = void>(
  input: BackgroundRefreshInput<Arguments, Value>,
): BackgroundRefresh<Arguments, Value> {
  const { attempt, nowMs, pauseMaxMs = Number.POSITIVE_INFINITY, onRejected = () => undefined } = input;
  let dueAtMs: number | undefined;
  let running: Promise<Value> | undefined;

  const isDue = (): boolean => {
    const waitMs = dueAtMs === undefined ? 0 : dueAtMs - nowMs();
    return waitMs <= 0 || waitMs > pauseMaxMs;
  };
  const run = (...args: Arguments): Promise<Value> => {
    running ??= attempt(...args).finally(() => {
      running = undefined;
    });
    return running;
  };
  return {
    isDue,
    isRunning: () => running !== undefined,
    pause(milliseconds) {
      dueAtMs = nowMs() + milliseconds;
    },
    run,
    runIfDue: (...args) => (running !== undefined || isDue() ? run(...args) : undefined),
    startIfDue(...args) {
      if (running === undefined && isDue()) run(...args).catch(onRejected);
    },
  };
}
