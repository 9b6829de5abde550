/**
 * Handles one HTTP request: the web server's checks, path, route, body, invocation, answer. Every failure is answered with a
 * status and an empty body, as in the real host. The log holds the reason.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { answerAdminRoute, isReservedPath } from "./admin-route.ts";
import type { AppContext, RegisteredFunction } from "./app-context.ts";
import type { Dispatch } from "./dispatch.ts";
import type { HostJson } from "./host-json.ts";
import type { HostSettings } from "./host-settings.ts";
import { answerRefusal } from "./http/answer-refusal.ts";
import { refuseHead } from "./http/kestrel.ts";
import { passOn } from "./http/pass-on.ts";
import { isHostUsable, joinHeaders, readBody, toRpcRequest } from "./http/read-request.ts";
import { writeResponse, writeStatus } from "./http/write-response.ts";
import { parseRequestPath } from "./routing/request-path.ts";
import type { RouteTable } from "./routing/route-table.ts";
import type { NullableString, TraceContext } from "./rpc/rpc-types.ts";
import { NO_TRACE, startSpan } from "./trace-context.ts";

export interface RequestHandlerContext {
  app: AppContext;
  dispatch: Dispatch;
  routes: RouteTable<RegisteredFunction>;
  hostJson: HostJson;
  settings: HostSettings;
}

export function createRequestHandler(context: RequestHandlerContext): RequestListener {
  const { app, hostJson, settings } = context;
  return (request, response) => {
    if (passOn(settings.playgroundUrl, request, response)) return;
    handle(context, request, response).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      const clientLeft = request.destroyed && !request.complete;
      app.log.write({ level: clientLeft ? "debug" : "error", category: "Host.Results", message });
      writeFailure(response, hostJson);
    });
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** Kestrel's limit in the real host is 100 MB, because functions limit bodies themselves. */
const bodyLimitBytes = 104_857_600;

/** Stands for the page of 150 KB that the real host shows. */
const HOMEPAGE = "<!DOCTYPE html><title>Functions host</title><p>The Functions host is running.</p>\n";

const reason = "This function was programmatically called via the host APIs.";

async function handle(
  context: RequestHandlerContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { app, dispatch, routes, hostJson } = context;
  const { customHeaders } = hostJson;
  const refusal = refuseHead(request);
  const path = parseRequestPath(request.url ?? "/");
  if (refusal !== undefined || path === undefined) {
    answerRefusal(response, refusal ?? { status: 400 });
    return;
  }
  const headers = joinHeaders(request.rawHeaders);
  if (isReservedPath(path.decoded)) {
    request.resume();
    answerAdminRoute({ app, dispatch, customHeaders }, response, { path: path.decoded, query: path.query, headers });
    return;
  }
  const matched = routes.match(request.method ?? "", path.decoded);
  if (matched === undefined) {
    answerWithoutFunction(response, path.decoded, context);
    return;
  }
  const body = isHostUsable(headers) ? await readBody(request, response, bodyLimitBytes) : "no URL";
  if (typeof body === "string") {
    answerUnreadable(response, body, customHeaders);
    return;
  }
  const traceContext = beginTrace(context, headers);
  const input = { http: toRpcRequest({ request, headers, path, params: matched.params, body }) };
  const result = await dispatch(matched.target, { reason, input, traceContext }).catch(() => undefined);
  if (result === undefined) {
    writeFailure(response, hostJson); // dispatch() has logged the reason.
  } else if (result.returnValue?.http === undefined) {
    writeStatus(response, 204, customHeaders);
  } else {
    writeResponse(response, result.returnValue.http, customHeaders);
  }
}

function beginTrace({ settings }: RequestHandlerContext, headers: Record<string, NullableString>): TraceContext {
  if (!settings.insights) return NO_TRACE;
  return startSpan(headers["traceparent"]?.value, headers["tracestate"]?.value);
}

/** The home page, which a function at `/` replaces, or 404. */
function answerWithoutFunction(
  response: ServerResponse,
  path: string,
  { hostJson: { customHeaders }, settings }: RequestHandlerContext,
): void {
  response.req.resume();
  if (path !== "/") {
    writeStatus(response, 404, customHeaders);
  } else if (settings.homepageDisabled) {
    writeStatus(response, 204, customHeaders);
  } else {
    writeStatus(response, 200, [...customHeaders, ["content-type", "text/html"]], HOMEPAGE);
  }
}

/** No URL for the app, or a body over the limit, which the host does not read: 500. */
function answerUnreadable(response: ServerResponse, what: string, customHeaders: HostJson["customHeaders"]): void {
  response.req.resume();
  if (what === "too large") {
    response.setHeader("connection", "close");
  }
  writeStatus(response, 500, customHeaders);
}

/** Answers 500 and drops the headers of the answer that could not be written. */
function writeFailure(response: ServerResponse, { customHeaders }: HostJson): void {
  if (!response.headersSent) {
    for (const name of response.getHeaderNames()) {
      response.removeHeader(name);
    }
  }
  writeStatus(response, 500, customHeaders);
}
