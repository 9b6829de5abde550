import { succeed } from "../../shared/core/result.ts";
import { readPushedRequest } from "../../shared/http/read-pushed-request.ts";
import { json } from "../../shared/http/write-answer.ts";
import { pushRequest } from "../../shared/sign-in/push-request.ts";
import type { SignInContext } from "../../shared/sign-in/sign-in-context.ts";
import type { Route } from "../handle.ts";

/** `POST /oauth2/par` (RFC 9126): takes an authorization request and answers 201 with its `request_uri`. */
export function parRoute(context: SignInContext): Route {
  return {
    name: "par",
    template: "oauth2/par",
    methods: ["POST"],
    dialect: "oauth",
    audit: "answered",
    async run(request, { audit, correlationId, trace }) {
      const read = await readPushedRequest(request);
      if (!read.ok) return read;
      const pushed = await pushRequest({ ...context, trace, correlationId }, read.value, audit);
      if (!pushed.ok) return pushed;
      const { requestUri, expiresInSeconds } = pushed.value;
      return succeed(json(201, correlationId, { request_uri: requestUri, expires_in: expiresInSeconds }));
    },
  };
}
