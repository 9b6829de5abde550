/**
 * Handles one HTTP request: path, route, body, invocation, answer. Every failure is answered with a status and an empty
 * body, as in the real host. The log holds the reason.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { answerAdminRoute } from "./admin-route.ts";
import type { AppContext, RegisteredFunction } from "./app-context.ts";
import type { Dispatch } from "./dispatch.ts";
import type { HostJson } from "./host-json.ts";
import { hasUsableHost, joinHeaders, readBody, toRpcRequest } from "./http/read-request.ts";
import { writeResponse, writeStatus } from "./http/write-response.ts";
import { parseRequestPath } from "./routing/request-path.ts";
import type { RouteTable } from "./routing/route-table.ts";
import { startSpan } from "./trace-context.ts";

export interface RequestHandlerContext {
  app: AppContext;
  dispatch: Dispatch;
  routes: RouteTable<RegisteredFunction>;
  hostJson: HostJson;
  bodyLimit: number;
}

export function createRequestHandler(context: RequestHandlerContext): RequestListener {
  const { app, hostJson } = context;
  return (request, response) => {
    handle(context, request, response).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      const clientLeft = request.destroyed && !request.complete;
      app.log.write({ level: clientLeft ? "debug" : "error", category: "Host.Results", message });
      writeFailure(response, hostJson);
    });
  };
}

// ---------------------------------------------------------------------------------------------------------------

const reason = "This function was programmatically called via the host APIs.";

async function handle(
  { app, dispatch, routes, hostJson, bodyLimit }: RequestHandlerContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { customHeaders } = hostJson;
  const headers = joinHeaders(request.rawHeaders);
  const path = parseRequestPath(request.url ?? "/");
  if (path === undefined || !hasUsableHost(headers)) {
    answerStatusOnly(request, response, 400, customHeaders);
    return;
  }
  if (/^\/admin(?:\/|$)/i.test(path.decoded)) {
    request.resume();
    answerAdminRoute({ app, dispatch, customHeaders }, response, path.decoded);
    return;
  }
  const matched = routes.match(request.method ?? "", path.decoded);
  if (matched === undefined) {
    answerStatusOnly(request, response, 404, customHeaders);
    return;
  }
  const body = await readBody(request, bodyLimit);
  if (body === "too large") {
    answerStatusOnly(request, response, 413, customHeaders);
    return;
  }
  const traceContext = startSpan(headers["traceparent"]?.value, headers["tracestate"]?.value);
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

/** Answers 500 and drops the headers of the answer that could not be written. */
function writeFailure(response: ServerResponse, { customHeaders }: HostJson): void {
  if (!response.headersSent) {
    for (const name of response.getHeaderNames()) {
      response.removeHeader(name);
    }
  }
  writeStatus(response, 500, customHeaders);
}

/** Answers with a status only. The host reads and drops a small body to keep the connection; after 413 it closes the connection. */
function answerStatusOnly(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  customHeaders: HostJson["customHeaders"],
): void {
  request.resume();
  if (status === 413) {
    response.setHeader("connection", "close");
  }
  writeStatus(response, status, customHeaders);
}
