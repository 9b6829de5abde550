/** How current the marks of one source are: when it is read, and whether a request waits for that. */
import { createBackgroundRefresh } from "../core/background-refresh.ts";

export interface MarkSourceInput {
  /** Reads the source and puts what is new into the index. False: it could not be read. Must not reject. */
  readonly read: () => Promise<boolean>;
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number;
  /** Younger marks are not read again. */
  readonly freshMs: number;
  /** Older marks are not current. */
  readonly maxAgeMs: number;
  /** Pause after a failed read. */
  readonly retryMs: number;
}

export interface MarkSource {
  /** Whether every mark that is older than `maxAgeMs` is known. Starts a read in the background if one is due. */
  isCurrent(): boolean;
  /** Waits for a read if the marks are not current. False: the source could not be read. */
  becomeCurrent(): Promise<boolean>;
}

export function createMarkSource({ read, steadyMs, freshMs, maxAgeMs, retryMs }: MarkSourceInput): MarkSource {
  /** When the last successful read began: a mark that is newer may be unknown. */
  let readAtMs = Number.NEGATIVE_INFINITY;

  const attempt = async (): Promise<void> => {
    const beganMs = steadyMs();
    const isRead = await read();
    readAtMs = isRead ? beganMs : readAtMs;
    refresh.pause(isRead ? Math.max(beganMs + freshMs - steadyMs(), 0) : retryMs);
  };
  const refresh = createBackgroundRefresh({ attempt, nowMs: steadyMs });
  const isYoung = () => steadyMs() - readAtMs <= maxAgeMs;
  return {
    isCurrent() {
      refresh.startIfDue();
      return isYoung();
    },
    async becomeCurrent() {
      // A read that is under way may have begun too long ago.
      if (!isYoung() && refresh.isRunning()) await refresh.run();
      if (!isYoung()) await refresh.runIfDue();
      return isYoung();
    },
  };
}
