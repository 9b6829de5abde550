/**
 * Events for the operator that belong to no single request: a changed credential, unavailable signing keys, a rotated
 * refresh token that was not stored. They occur outside an invocation, and Functions logs only inside one, so this
 * buffer holds them until the next invocation. When it is full, the oldest event is dropped and counted.
 */
export interface OperatorEvent {
  readonly event:
    | "cache"
    | "credential"
    | "entra"
    | "events"
    | "keys"
    | "grants"
    | "load"
    | "policy"
    | "reap"
    | "telemetry";
  readonly [detail: string]: string | number | boolean | undefined;
}

export interface OperatorLog {
  add(event: OperatorEvent): void;
  /** Returns all buffered events, oldest first, and empties the buffer. */
  drain(): readonly OperatorEvent[];
}

/** One minute of the most frequent event. More entries would only repeat it. */
const BUFFERED_MAX = 200;

export function createOperatorLog(nowMs: () => number): OperatorLog {
  let buffered: OperatorEvent[] = [];
  let dropped = 0;
  return {
    add(event) {
      if (buffered.length >= BUFFERED_MAX) {
        buffered.shift();
        dropped += 1;
      }
      buffered.push({ time: new Date(nowMs()).toISOString(), ...event });
    },
    drain() {
      const drained = buffered;
      const [first] = drained;
      buffered = [];
      if (first !== undefined && dropped > 0) {
        drained.unshift({ event: first.event, dropped });
        dropped = 0;
      }
      return drained;
    },
  };
}
