/**
 * The paths that the host keeps for itself. `POST /admin/functions/{name}` runs a function that has no HTTP trigger (here: a
 * timer) and answers 202 at once. The log records how the run ended. The admin API needs the master key, in the header
 * `x-functions-key` or the query `code`; without it the answer is 401. The local host has a fixed key, because it listens
 * on loopback only.
 */
import type { ServerResponse } from "node:http";
import type { AppContext } from "./app-context.ts";
import { type Dispatch, triggerOf } from "./dispatch.ts";
import { type CustomHeaders, writeStatus } from "./http/write-response.ts";
import type { NullableString } from "./rpc/rpc-types.ts";
import { NO_TRACE } from "./trace-context.ts";

export const LOCAL_MASTER_KEY = "local-master-key";

/** Paths below /admin never reach a function, nor do the webhooks of extensions. */
export function isReservedPath(path: string): boolean {
  return /^\/(?:admin(?:\/|$)|runtime\/webhooks\/.)/i.test(path);
}

interface AdminRequest {
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, NullableString>>;
}

export function answerAdminRoute(
  input: { app: AppContext; dispatch: Dispatch; customHeaders: CustomHeaders },
  response: ServerResponse,
  { path, query, headers }: AdminRequest,
): void {
  const { app, dispatch, customHeaders } = input;
  const given = headers["x-functions-key"]?.value ?? new URLSearchParams(query).get("code");
  const [, area = "", rest = ""] = /^\/\w+\/(\w+)\/?(.*?)\/?$/.exec(path.toLowerCase()) ?? [];
  const operation = `${response.req.method} ${area}/${rest}`;
  if (operation === "GET host/ping") {
    writeStatus(response, 200, [...customHeaders, ["cache-control", "no-store,no-cache"], ["pragma", "no-cache"]]);
  } else if (operation === "GET warmup/") {
    writeStatus(response, 200, customHeaders);
  } else if (area === "vfs") {
    writeStatus(response, 401, customHeaders);
  } else if (!["functions", "host", "webhooks"].includes(area)) {
    writeStatus(response, 404, customHeaders);
  } else if (given !== LOCAL_MASTER_KEY) {
    writeStatus(response, 401, [...customHeaders, ["www-authenticate", "Bearer"]]);
  } else if (operation === "GET host/status") {
    writeStatus(response, 200, [...customHeaders, ["content-type", "application/json; charset=utf-8"]], STATUS);
  } else {
    const name = /^POST functions\/([^/]+)$/.exec(operation)?.[1];
    writeStatus(response, name !== undefined && run(app, dispatch, name) ? 202 : 404, customHeaders);
  }
}

// ---------------------------------------------------------------------------------------------------------------

const STATUS = JSON.stringify({ id: "local", state: "Running", extensionBundle: null });

/** The input of a timer function that is started manually. */
const timerInfo = { schedule: { adjustForDST: true }, scheduleStatus: null, isPastDue: false };

/** False if the app has no such function. A function with an HTTP trigger is not run, because it has no request. */
function run(app: AppContext, dispatch: Dispatch, name: string): boolean {
  const registered = [...app.functions.values()].find(({ metadata }) => metadata.name.toLowerCase() === name);
  if (registered === undefined) return false;
  if (triggerOf(registered).binding.type === "timerTrigger") {
    const reason = "This function was programmatically called via the host APIs.";
    const input = { json: JSON.stringify(timerInfo) };
    dispatch(registered, { reason, input, traceContext: NO_TRACE }).catch(() => undefined); // Already logged.
  }
  return true;
}
