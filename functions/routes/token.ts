import { exchangeToken } from "../../shared/exchange-token.ts";
import { readTokenRequest } from "../../shared/http/read-token-request.ts";
import { writeTokenResponse } from "../../shared/http/write-answer.ts";
import { succeed } from "../../shared/result.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";
import { released } from "../released.ts";

/** `POST /oauth2/token`: the OAuth 2.0 token endpoint. */
export function tokenRoute({ stages }: Service): Route {
  return {
    name: "token",
    template: "oauth2/token",
    methods: ["POST"],
    dialect: "oauth",
    audit: "issued",
    async run(request, { note, correlationId, trace, isOver }) {
      const read = await readTokenRequest(request, correlationId);
      if (!read.ok) {
        return read;
      }
      const exchange = await exchangeToken(stages, { ...read.value, trace, isOver }, note);
      return exchange.ok ? succeed(writeTokenResponse(released(exchange.value, read.value, stages))) : exchange;
    },
  };
}
