/**
 * Records one observation for each audit event, if OpenTelemetry is on. `load` loads the SDK, a lazy chunk of the bundle,
 * after the first response, so that it does not slow a cold start down. Telemetry never affects a request: no call here
 * throws, and recording never waits.
 */
import type { AuditEvent } from "../audit/audit-event.ts";
import { beforeDeadline } from "../core/deadline.ts";
import { TELEMETRY_STOP_MS } from "../core/limits.ts";
import type { RequestTrace } from "../core/request-trace.ts";

/** The members of an audit event that may become labels. They do not identify the caller or the subject. */
export type LabelFacts = Pick<AuditEvent, "outcome" | "code" | "flow" | "api" | "registration" | "cache">;

export interface Observation extends LabelFacts {
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly endedMs: number;
  /** Undefined: the request has no trace context. */
  readonly trace: RequestTrace | undefined;
}

export interface Telemetry {
  /** The recorder of one route. The service calls it when it registers the route, so that route names are a closed set. */
  forRoute(route: string): (observation: Observation) => void;
  /** Starts the export of gauges, even without requests. */
  start(): void;
  /** Sends the pending observations. After two seconds it discards the rest. */
  stop(): Promise<void>;
}

/** The interface of the lazy chunk. */
export interface Recorder {
  record(route: string, observation: Observation): void;
  stop(): Promise<void>;
}

export interface LazyTelemetryInput {
  /** Loads the chunk. */
  readonly load: () => Promise<Recorder>;
  /** Called once if the chunk cannot be loaded or throws. Must not throw. */
  readonly onUnusable: () => void;
}

/** Wait between the first observation and the loading of the chunk, which takes processor time from a cold start. */
const LOAD_AFTER_MS = 500;
/** Limit of observations that wait for the chunk. An instance has fewer in its first half second. */
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
      // Discard the observation. The request continues.
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
