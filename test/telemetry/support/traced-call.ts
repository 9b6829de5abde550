/** Calls the handlers of the service with the trace context of the host. */
import { HttpRequest, InvocationContext } from "@azure/functions";
import type { Service } from "../../../functions/composition/compose.ts";
import { createHandler } from "../../../functions/handle.ts";
import { routesOf } from "../../../functions/register.ts";

export interface TracedCall {
  readonly route?: string;
  readonly params?: Record<string, string>;
  readonly traceParent?: string;
  readonly log?: (line: string) => void;
}

/** Sends `GET /AuthorizationHeader/graph` as a user; `TracedCall` can change route and parameters. */
export function tracedCaller(service: Service, log: (line: string) => void = () => undefined) {
  const handlers = new Map(routesOf(service).map((route) => [route.name, createHandler(service, route)]));
  return async (
    token: string,
    { route = "authorization-header", params = { api: "graph" }, traceParent }: TracedCall,
  ) => {
    const request = new HttpRequest({
      method: "GET",
      url: `http://localhost:7071/AuthorizationHeader/${params["api"]}`,
      headers: { authorization: `Bearer ${token}` },
      params,
    });
    const context = new InvocationContext({
      functionName: route,
      invocationId: "test",
      logHandler: (_level, ...args) => log(args.map(String).join(" ")),
      ...(traceParent === undefined ? {} : { traceContext: { traceParent } }),
    });
    const handler = handlers.get(route);
    const response = await handler?.(request, context);
    return response !== undefined && response !== null && "status" in response ? response.status : undefined;
  };
}
