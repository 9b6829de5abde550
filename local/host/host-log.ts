/**
 * The host's log. It filters by category and level as .NET does (the longest matching category prefix in
 * `logging.logLevel` wins) and writes one JSON line per entry. The real host writes its log in another process. This host
 * shares the process with the app, so it collects the lines of a few milliseconds and writes them together: otherwise the
 * log would limit the throughput of a benchmark.
 */
import { writeSync } from "node:fs";
import type { LogLevel } from "./rpc/rpc-types.ts";

export interface HostLogEntry {
  level: LogLevel;
  category: string;
  invocationId?: string | undefined;
  functionName?: string | undefined;
  message: string;
}

export interface HostLog {
  isEnabled(level: LogLevel, category: string): boolean;
  write(entry: HostLogEntry): void;
}

const ranks: Readonly<Record<string, number>> = {
  trace: 0,
  debug: 1,
  information: 2,
  warning: 3,
  error: 4,
  critical: 5,
  none: 6,
};

const titles: Readonly<Record<LogLevel, string>> = {
  trace: "Trace",
  debug: "Debug",
  information: "Information",
  warning: "Warning",
  error: "Error",
  critical: "Critical",
  none: "None",
};

export function createHostLog(logLevels: Readonly<Record<string, string>>, writeLine: (line: string) => void): HostLog {
  const minimumOf = createFilter(logLevels);
  const toLine = createFormatter();
  const isEnabled = (level: LogLevel, category: string) => level !== "none" && rankOf(level) >= minimumOf(category);
  return {
    isEnabled,
    write(entry) {
      if (isEnabled(entry.level, entry.category)) {
        writeLine(toLine(entry, Date.now()));
      }
    },
  };
}

export interface LineWriter {
  writeLine(line: string): void;
  /** Writes the collected lines. */
  flush(): void;
}

/** A reader does not notice this delay. One write per turn of the event loop would double the cost of a line. */
const COLLECT_MS = 10;
const COLLECT_CHARACTERS = 64 * 1024;

/** Writes lines to standard output in batches. The rest is written when the process exits. */
export function createLineWriter(): LineWriter {
  let pending = "";
  let timer: NodeJS.Timeout | undefined;
  process.on("exit", () => {
    writeWholly(pending);
  });
  const flush = () => {
    clearTimeout(timer);
    const text = pending;
    pending = "";
    if (text !== "") {
      process.stdout.write(text);
    }
  };
  return {
    flush,
    writeLine(line) {
      if (pending === "") {
        timer = setTimeout(flush, COLLECT_MS);
      }
      pending += `${line}\n`;
      if (pending.length >= COLLECT_CHARACTERS) {
        flush();
      }
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/**
 * Formats an entry exactly as JSON.stringify does. Formatting takes time from the requests, because both share a
 * thread. The formatter therefore caches the text that repeats: the names, and the time within a millisecond.
 */
function createFormatter(): (entry: HostLogEntry, nowMs: number) => string {
  const quoted = new Map<string, string>();
  const quote = (name: string) => {
    const known = quoted.get(name) ?? JSON.stringify(name);
    quoted.set(name, known);
    return known;
  };
  let time = { ms: Number.NaN, text: "" };
  return ({ level, category, invocationId, functionName, message }, nowMs) => {
    if (time.ms !== nowMs) {
      time = { ms: nowMs, text: new Date(nowMs).toISOString() };
    }
    const invocation = invocationId === undefined ? "" : `,"invocationId":${JSON.stringify(invocationId)}`;
    const named = functionName === undefined ? "" : `,"functionName":${quote(functionName)}`;
    const head = `{"time":"${time.text}","level":"${titles[level]}","category":${quote(category)}`;
    return `${head}${invocation}${named},"message":${JSON.stringify(message)}}`;
  };
}

function rankOf(level: string): number {
  const rank = ranks[level.toLowerCase()];
  if (rank === undefined) throw new Error(`host.json: "${level}" is not a level for logging.logLevel.`);
  return rank;
}

function createFilter(logLevels: Readonly<Record<string, string>>): (category: string) => number {
  let fallback = rankOf("information");
  const rules: { prefix: string; minimum: number }[] = [];
  for (const [name, level] of Object.entries(logLevels)) {
    if (name.toLowerCase() === "default") {
      fallback = rankOf(level);
    } else {
      rules.push({ prefix: name.toLowerCase(), minimum: rankOf(level) });
    }
  }
  rules.sort((a, b) => b.prefix.length - a.prefix.length);
  const known = new Map<string, number>();
  return (category) => {
    let minimum = known.get(category);
    if (minimum === undefined) {
      const lower = category.toLowerCase();
      minimum = rules.find((rule) => lower.startsWith(rule.prefix))?.minimum ?? fallback;
      known.set(category, minimum);
    }
    return minimum;
  };
}

function writeWholly(text: string): void {
  try {
    if (text !== "") {
      writeSync(1, text);
    }
  } catch {
    // The reader has closed the pipe, so the error cannot be reported.
  }
}
