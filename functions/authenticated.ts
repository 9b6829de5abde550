import type { HttpRequest } from "@azure/functions";
import { type AuthenticationContext, authenticate } from "../shared/caller/authenticate.ts";
import type { Caller } from "../shared/caller/caller.ts";
import type { TokenAuthentication } from "../shared/core/exchange-request.ts";
import type { Failure } from "../shared/core/failure.ts";
import { type Result, succeed } from "../shared/core/result.ts";
import type { OutgoingResponse } from "../shared/http/outgoing-response.ts";
import { readBearer } from "../shared/http/read-client-authentication.ts";
import type { Route, RouteContext } from "./handle.ts";

/** What the reader of a route returns: the client authentication, and the route's own parameters. */
interface WithClientAuthentication {
  readonly clientAuthentication: TokenAuthentication | undefined;
}

/** A route's `run` for authenticated callers: reads the request, authenticates the caller and then calls `run`. */
export function authenticated<Input extends WithClientAuthentication>(
  context: AuthenticationContext,
  read: (request: HttpRequest) => Result<Input, Failure> | Promise<Result<Input, Failure>>,
  run: (
    caller: Caller,
    input: Input,
    request: HttpRequest,
    context: RouteContext,
  ) => Promise<Result<OutgoingResponse, Failure>>,
): Route["run"] {
  return async (request, routeContext) => {
    const input = await read(request);
    if (!input.ok) return input;
    const { trace, correlationId, audit } = routeContext;
    const caller = await authenticate({ ...context, trace, correlationId }, input.value.clientAuthentication, audit);
    if (!caller.ok) return caller;
    return run(caller.value, input.value, request, routeContext);
  };
}

/** For routes whose only authentication is the bearer token in the `Authorization` header. */
export function bearerOnly(request: HttpRequest): Result<WithClientAuthentication, Failure> {
  const bearer = readBearer(request);
  return bearer.ok ? succeed({ clientAuthentication: bearer.value }) : bearer;
}
