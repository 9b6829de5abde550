import { succeed } from "../../shared/core/result.ts";
import { json } from "../../shared/http/write-answer.ts";
import { authenticated, bearerOnly } from "../authenticated.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";

/** `GET|POST /Validate`: answers the caller's own token and its claims, validated, in the sidecar's format. */
export function validateRoute({ exchangeContext }: Service): Route {
  return {
    name: "validate",
    template: "Validate",
    methods: ["GET", "POST"],
    dialect: "problem",
    audit: "answered",
    run: authenticated(exchangeContext, bearerOnly, async ({ token, claims }, _input, _request, { correlationId }) =>
      succeed(json(200, correlationId, { protocol: "Bearer", token: token.reveal(), claims })),
    ),
  };
}
