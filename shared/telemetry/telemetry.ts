/**
 * What the service tells OpenTelemetry, where it is switched on: one observation for each audit event. This file is all
 * that is read at start; the SDK is behind `load`, a lazy chunk of the bundle, brought in when the first answer has long
 * gone out. Whatever goes wrong in there stays in there: no call here throws, waits, or fails a request.
 */
import type { AuditEvent } from "../audit/audit-event.ts";
import { beforeDeadline } from "../core/deadline.ts";
import { TELEMETRY_STOP_MS } from "../core/limits.ts";
import type { RequestTrace } from "../core/request-trace.ts";

/** The members of an audit event that may be labels. Who called and for whom are not among them. */
export type LabelFacts = Pick<AuditEvent, "outcome" | "code" | "flow" | "api" | "cache">;

export interface Observation extends LabelFacts {
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly endedMs: number;
  /** Undefined: the request came without a trace. */
  readonly trace: RequestTrace | undefined;
}

export interface Telemetry {
  /** Takes what is observed of one route. Asked for at registration, so that route names are a closed set. */
  forRoute(route: string): (observation: Observation) => void;
  /** Begins to watch the gauges, even if nobody calls. */
  start(): void;
  /** Sends what waits. Takes two seconds at most, and then leaves the rest. */
  stop(): Promise<void>;
}

/** The part that is loaded when it is needed. */
export interface Recorder {
  record(route: string, observation: Observation): void;
  stop(): Promise<void>;
}

export interface LazyTelemetryInput {
  /** Brings the chunk in. */
  readonly load: () => Promise<Recorder>;
  /** Told once, when the chunk cannot be used. Must not throw. */
  readonly onUnusable: () => void;
}

/** From the first observation until the chunk is read: reading it takes processor time that a cold start has no use for. */
const LOAD_AFTER_MS = 500;
/** Observations that wait for the chunk: more than an instance has in its first half second. */
const WAITING_MAX = 1_024;

export function createLazyTelemetry({ load, onUnusable }: LazyTelemetryInput): Telemetry {
  let waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  let loading: Promise<void> | undefined;
  let recorder: Recorder | undefined;
  let unusable = false;

  const begin = () => {
    clearTimeout(timer);
    loading ??= load()
      .then((loaded) => {
        recorder = loaded;
        for (const observe of waiting) {
          observe();
        }
      })
      .catch(() => {
        unusable = true;
        onUnusable();
      })
      .finally(() => {
        waiting = [];
      });
    return loading;
  };
  const record = (route: string, observation: Observation) => {
    try {
      recorder?.record(route, observation);
    } catch {
      // An observation is lost, a request is not.
      recorder = undefined;
      unusable = true;
      onUnusable();
    }
  };
  return {
    forRoute: (route) => (observation) => {
      if (recorder !== undefined || unusable) {
        record(route, observation);
      } else if (waiting.length < WAITING_MAX) {
        waiting.push(() => record(route, observation));
        timer ??= setTimeout(begin, LOAD_AFTER_MS).unref();
      }
    },
    start: () => void begin(),
    async stop() {
      if (waiting.length > 0 || loading !== undefined) {
        const stopped = begin().then(() => recorder?.stop());
        await beforeDeadline(stopped, TELEMETRY_STOP_MS).catch(() => undefined);
      }
    },
  };
}
