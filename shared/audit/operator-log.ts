/**
 * What the operator should know and no single request is about: a credential that changed, keys that could not be read,
 * a rotation that was not stored. Such things happen outside an invocation, and Functions logs only inside one, so they
 * wait here (bounded, oldest dropped and counted) for the next.
 */
export interface OperatorEvent {
  readonly event: "cache" | "credential" | "keys" | "grants" | "reap" | "telemetry";
  readonly [detail: string]: string | number | boolean | undefined;
}

export interface OperatorLog {
  add(event: OperatorEvent): void;
  /** Takes everything that waits, oldest first. */
  drain(): readonly OperatorEvent[];
}

/** A minute of the noisiest stage; more would only repeat it. */
const WAITING_MAX = 200;

export function createOperatorLog(nowMs: () => number): OperatorLog {
  let waiting: OperatorEvent[] = [];
  let dropped = 0;
  return {
    add(event) {
      if (waiting.length >= WAITING_MAX) {
        waiting.shift();
        dropped += 1;
      }
      waiting.push({ time: new Date(nowMs()).toISOString(), ...event });
    },
    drain() {
      const drained = waiting;
      const [first] = drained;
      waiting = [];
      if (first !== undefined && dropped > 0) {
        drained.unshift({ event: first.event, dropped });
        dropped = 0;
      }
      return drained;
    },
  };
}
