/** A request to the real handlers as the host makes it, with the trace context that the host gives. */
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

/** A user's `GET /AuthorizationHeader/graph`, unless told otherwise. */
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
