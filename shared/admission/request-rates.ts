/**
 * Requests in a minute of each caller with a limit, on all instances. Every instance counts its own requests and adds
 * to Redis at most once a second how many there were; the answer is the count of all instances. So no request waits for
 * Redis, and several instances together exceed a limit by what they accept in one second. Without Redis, each instance
 * counts for itself. The windows are the minutes of the clock, the same for all instances.
 */
import { hash } from "node:crypto";

const WINDOW_MS = 60_000;
/** Between two messages to Redis about one caller. */
const SHARE_EVERY_MS = 1_000;
/** Callers with a limit that sent a request in this minute: as many as a policy has entries. */
const CALLERS_MAX = 10_000;

export interface RequestRates {
  /** Counts a request. Returns the seconds to wait if the caller has reached its limit; such a request does not count. */
  spend(caller: string, perMinute: number): number | undefined;
}

export interface SharedCounters {
  /** Adds to a counter that all instances share and returns its value. Undefined: not available. Never rejects. */
  count(key: string, by: number, ttlMs: number): Promise<number | undefined>;
}

export interface RequestRatesInput {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Undefined: this instance only. */
  readonly shared: SharedCounters | undefined;
}

interface Window {
  readonly startsAtMs: number;
  /** Requests that this instance accepted. */
  own: number;
  /** The part of `own` that the shared counter has. */
  reported: number;
  /** What the shared counter said last: the requests of all instances. */
  total: number;
  reportedAtMs: number;
}

export function createRequestRates({ nowMs, shared }: RequestRatesInput): RequestRates {
  const windows = new Map<string, Window>();

  const windowOf = (caller: string, now: number): Window => {
    const startsAtMs = now - (now % WINDOW_MS);
    const known = windows.get(caller);
    if (known?.startsAtMs === startsAtMs) return known;
    const window = { startsAtMs, own: 0, reported: 0, total: 0, reportedAtMs: Number.NEGATIVE_INFINITY };
    windows.delete(caller);
    windows.set(caller, window);
    const [oldest] = windows.keys();
    if (windows.size > CALLERS_MAX && oldest !== undefined) windows.delete(oldest);
    return window;
  };
  const share = async (caller: string, window: Window, now: number): Promise<void> => {
    if (shared === undefined || now - window.reportedAtMs < SHARE_EVERY_MS) return;
    window.reportedAtMs = now;
    const by = window.own - window.reported;
    const total = await shared.count(keyOf(caller, window), by, 2 * WINDOW_MS);
    if (total === undefined) return;
    window.reported += by;
    window.total = total;
  };

  return {
    spend(caller, perMinute) {
      const now = nowMs();
      const window = windowOf(caller, now);
      if (window.total + (window.own - window.reported) >= perMinute) {
        return Math.ceil((window.startsAtMs + WINDOW_MS - now) / 1_000);
      }
      window.own += 1;
      void share(caller, window, now);
      return undefined;
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** A digest, because keys in Redis name no caller. */
function keyOf(caller: string, { startsAtMs }: Window): string {
  return hash("sha256", JSON.stringify(["requests", caller, startsAtMs]), "base64url");
}
