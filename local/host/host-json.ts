/**
 * The settings of host.json that the local host supports: the route prefix, the custom headers, the function timeout and
 * the log levels. `AzureFunctionsJobHost__a__b` in the environment overrides `a.b`, as in the real host. A benchmark can
 * therefore reduce the log output without another host.json.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface HostJson {
  routePrefix: string;
  customHeaders: readonly (readonly [name: string, value: string])[];
  /** Undefined: no limit ("-1"). */
  functionTimeoutMs: number | undefined;
  logLevels: Readonly<Record<string, string>>;
}

type Json = Record<string, unknown>;

const overridePrefix = "AzureFunctionsJobHost__";

/** The default of the real host outside the Consumption plan. */
const defaultTimeout = "00:30:00";

export function readHostJson(appDirectory: string, environment: NodeJS.ProcessEnv): HostJson {
  const path = join(appDirectory, "host.json");
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return parseHostJson(parsed, environment);
}

export function parseHostJson(parsed: unknown, environment: NodeJS.ProcessEnv): HostJson {
  const root = structuredClone(asObject(parsed));
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && name.startsWith(overridePrefix)) {
      override(root, name.slice(overridePrefix.length).split("__"), value);
    }
  }
  if (root["version"] !== "2.0") throw new Error('host.json must contain "version": "2.0".');
  const http = asObject(asObject(root["extensions"])["http"]);
  const prefix = http["routePrefix"];
  return {
    routePrefix: typeof prefix === "string" ? prefix.replace(/^\/+|\/+$/g, "") : "api",
    customHeaders: Object.entries(asObject(http["customHeaders"])).map(([name, value]) => [name, String(value)]),
    functionTimeoutMs: parseTimeSpan(String(root["functionTimeout"] ?? defaultTimeout)),
    logLevels: Object.fromEntries(
      Object.entries(asObject(asObject(root["logging"])["logLevel"])).map(([name, value]) => [name, String(value)]),
    ),
  };
}

// ---------------------------------------------------------------------------------------------------------------

function asObject(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** Keys of .NET configuration are case-insensitive, so an existing key keeps its spelling. */
function override(root: Json, path: string[], value: string): void {
  const [name, ...rest] = path;
  if (name === undefined || name === "") return;
  const key = Object.keys(root).find((known) => known.toLowerCase() === name.toLowerCase()) ?? name;
  if (rest.length === 0) {
    root[key] = value;
    return;
  }
  const child = asObject(root[key]);
  root[key] = child;
  override(child, rest, value);
}

/** Reads "00:00:30", "1.00:00:00" (days first) or "-1". */
function parseTimeSpan(text: string): number | undefined {
  if (text === "-1") return undefined;
  const match = /^(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})$/.exec(text);
  if (match === null) throw new Error(`host.json: functionTimeout "${text}" is not a time like "00:00:30".`);
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}
