/**
 * `POST /admin/functions/{name}` runs a function that has no HTTP trigger (here: a timer) and answers 202 at once, as
 * the real host does. The real host requires the master key; this host listens on loopback only and does not. The log
 * records how the run ended. `GET /admin/host/status` answers 200 while the host runs.
 */
import type { ServerResponse } from "node:http";
import type { AppContext } from "./app-context.ts";
import { type Dispatch, triggerOf } from "./dispatch.ts";
import { type CustomHeaders, writeStatus } from "./http/write-response.ts";
import { startSpan } from "./trace-context.ts";

/** The input of a timer function that is started manually. */
const timerInfo = { schedule: { adjustForDST: true }, scheduleStatus: null, isPastDue: false };

export function answerAdminRoute(
  input: { app: AppContext; dispatch: Dispatch; customHeaders: CustomHeaders },
  response: ServerResponse,
  path: string,
): void {
  const { app, dispatch, customHeaders } = input;
  const name = /^\/admin\/functions\/([^/]+)\/?$/i.exec(path)?.[1]?.toLowerCase();
  if (response.req.method !== "POST" || name === undefined) {
    const running = response.req.method === "GET" && /^\/admin\/host\/status\/?$/i.test(path);
    writeStatus(response, running ? 200 : 404, customHeaders);
    return;
  }
  const registered = [...app.functions.values()].find(({ metadata }) => metadata.name.toLowerCase() === name);
  if (registered === undefined) {
    writeStatus(response, 404, customHeaders);
    return;
  }
  if (triggerOf(registered).binding.type !== "timerTrigger") {
    writeStatus(response, 400, customHeaders);
    return;
  }
  const reason = "This function was programmatically called via the host APIs.";
  const run = dispatch(registered, {
    reason,
    input: { json: JSON.stringify(timerInfo) },
    traceContext: startSpan(undefined, undefined),
  });
  run.catch(() => undefined); // Already logged.
  writeStatus(response, 202, customHeaders);
}
