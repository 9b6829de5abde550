import { succeed } from "../../shared/core/result.ts";
import { exchangeToken } from "../../shared/exchange/exchange-token.ts";
import { readTokenRequest } from "../../shared/http/read-token-request.ts";
import { writeTokenResponse } from "../../shared/http/write-answer.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";
import { toReleasedToken } from "./to-released-token.ts";

/** `POST /oauth2/token`: the OAuth 2.0 token endpoint. Answers a token (RFC 6749 section 5.1). */
export function tokenRoute({ exchangeContext }: Service): Route {
  return {
    name: "token",
    template: "oauth2/token",
    methods: ["POST"],
    dialect: "oauth",
    audit: "issued",
    async run(request, { audit, correlationId, trace, signal }) {
      const read = await readTokenRequest(request, correlationId);
      if (!read.ok) return read;
      const exchange = await exchangeToken(exchangeContext, { ...read.value, trace, signal }, audit);
      return exchange.ok
        ? succeed(writeTokenResponse(toReleasedToken(exchange.value, read.value, exchangeContext)))
        : exchange;
    },
  };
}
