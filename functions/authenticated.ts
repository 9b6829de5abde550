import type { HttpRequest } from "@azure/functions";
import { type AuthenticationContext, authenticate } from "../shared/caller/authenticate.ts";
import type { Caller } from "../shared/caller/caller.ts";
import type { TokenAuthentication } from "../shared/core/exchange-request.ts";
import type { Failure } from "../shared/core/failure.ts";
import { type Result, succeed } from "../shared/core/result.ts";
import type { OutgoingResponse } from "../shared/http/outgoing-response.ts";
import { readBearer } from "../shared/http/read-client-authentication.ts";
import type { Route, RouteContext } from "./handle.ts";

/** What a reader returns: the client authentication, and the parameters of the route. */
interface Authenticating {
  readonly clientAuthentication: TokenAuthentication | undefined;
}

/** A route's `run` for known callers only: reads the request, authenticates and records the caller, then answers. */
export function authenticated<T extends Authenticating>(
  context: AuthenticationContext,
  read: (request: HttpRequest) => Result<T, Failure> | Promise<Result<T, Failure>>,
  run: (
    caller: Caller,
    input: T,
    request: HttpRequest,
    context: RouteContext,
  ) => Promise<Result<OutgoingResponse, Failure>>,
): Route["run"] {
  return async (request, routeContext) => {
    const input = await read(request);
    if (!input.ok) return input;
    const { trace, audit } = routeContext;
    const caller = await authenticate({ ...context, trace }, input.value.clientAuthentication, audit);
    if (!caller.ok) return caller;
    return run(caller.value, input.value, request, routeContext);
  };
}

/** For routes whose only authentication is the bearer token in the `Authorization` header. */
export function bearerOnly(request: HttpRequest): Result<Authenticating, Failure> {
  const bearer = readBearer(request);
  return bearer.ok ? succeed({ clientAuthentication: bearer.value }) : bearer;
}
