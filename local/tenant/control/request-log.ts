/**
 * The requests to the tenant: a bounded log and unbounded counters.
 */
import type { Endpoint, RequestFacts } from "./request-facts.ts";

export interface LogEntry extends RequestFacts {
  readonly atMs: number;
  /** 0 until the response is sent, and for a dropped connection. */
  status: number;
}

export interface LogFilter {
  readonly endpoint?: Endpoint;
  readonly grantType?: string;
  readonly client?: string;
  readonly user?: string;
}

export interface RequestLog {
  start(facts: RequestFacts, atMs: number): LogEntry;
  /** Newest last. */
  entries(filter?: LogFilter): LogEntry[];
  /** The number of requests since the start or the last `clear()`, by endpoint and, at the token endpoint, by grant type. */
  count(filter?: Pick<LogFilter, "endpoint" | "grantType">): number;
  counts(): Record<string, number>;
  clear(): void;
}

/** Enough for any test. The limit keeps the memory bounded in a long run. */
const MOST_ENTRIES = 2_000;

export function createRequestLog(): RequestLog {
  const stored: LogEntry[] = [];
  const counters = new Map<string, number>();
  const add = (name: string) => counters.set(name, (counters.get(name) ?? 0) + 1);
  return {
    start: (facts, atMs) => {
      const entry: LogEntry = { ...facts, atMs, status: 0 };
      stored.push(entry);
      if (stored.length > MOST_ENTRIES) stored.shift();
      add("all");
      add(facts.endpoint);
      if (facts.grantType !== undefined) add(`${facts.endpoint}:${facts.grantType}`);
      return entry;
    },
    entries: (filter = {}) => stored.filter((entry) => matches(entry, filter)),
    count: ({ endpoint, grantType } = {}) => {
      const name = grantType === undefined ? (endpoint ?? "all") : `token:${grantType}`;
      return counters.get(name) ?? 0;
    },
    counts: () => Object.fromEntries(counters),
    clear: () => {
      stored.length = 0;
      counters.clear();
    },
  };
}

function matches(entry: LogEntry, filter: LogFilter): boolean {
  return (
    (filter.endpoint ?? entry.endpoint) === entry.endpoint &&
    (filter.grantType ?? entry.grantType) === entry.grantType &&
    (filter.client ?? entry.client) === entry.client &&
    (filter.user ?? entry.user) === entry.user
  );
}
