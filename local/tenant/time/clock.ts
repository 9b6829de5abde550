/**
 * The tenant's clock. Every part of the tenant reads the time here, so that a test can change it.
 */
export interface Clock {
  nowMs(): number;
  nowSeconds(): number;
  /** The current time, greater than every earlier stamp. It orders issued tokens and revocations within a millisecond. */
  stampMs(): number;
  /** Sets the offset from the source of the time. A positive offset moves the tenant into the future. */
  setOffsetMs(offsetMs: number): void;
}

/** Allows a thousand stamps in one millisecond. */
const STAMP_STEP_MS = 0.001;

export function createClock(source: () => number = () => Date.now()): Clock {
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
