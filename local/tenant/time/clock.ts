/**
 * The tenant's clock. Everything that reads time in the local tenant reads it here, so that a test can move it.
 */
export interface Clock {
  nowMs(): number;
  nowSeconds(): number;
  /** Now, and later than every stamp before: tells what was issued before a revocation, even within a millisecond. */
  stampMs(): number;
  /** Moves the tenant's time away from its source; positive = the future. */
  setOffsetMs(offsetMs: number): void;
}

/** Fine enough for a thousand tokens in one millisecond. */
const STAMP_STEP_MS = 0.001;

export function createClock(source: () => number = Date.now): Clock {
  let offset = 0;
  let lastStamp = 0;
  const nowMs = () => source() + offset;
  return {
    nowMs,
    nowSeconds: () => Math.floor(nowMs() / 1000),
    stampMs: () => {
      lastStamp = Math.max(nowMs(), lastStamp + STAMP_STEP_MS);
      return lastStamp;
    },
    setOffsetMs: (offsetMs) => {
      offset = offsetMs;
      lastStamp = 0;
    },
  };
}
