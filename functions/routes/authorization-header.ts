import { succeed } from "../../shared/core/result.ts";
import { exchangeToken } from "../../shared/exchange/exchange-token.ts";
import { type HeaderRoute, readHeaderRequest } from "../../shared/http/read-header-request.ts";
import { writeHeaderPayload } from "../../shared/http/write-answer.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";
import { released } from "./to-released-token.ts";

/** `GET|POST /AuthorizationHeader/{api}`: the header payload for a user, or from a grant. */
export function authorizationHeaderRoute(service: Service): Route {
  return headerRoute(service, "authorization-header", "AuthorizationHeader/{api}", "user");
}

/** `GET|POST /AuthorizationHeaderUnauthenticated/{api}`: the application's own. Only the name says unauthenticated. */
export function applicationHeaderRoute(service: Service): Route {
  return headerRoute(
    service,
    "authorization-header-application",
    "AuthorizationHeaderUnauthenticated/{api}",
    "application",
  );
}

function headerRoute({ exchangeContext }: Service, name: string, template: string, kind: HeaderRoute): Route {
  return {
    name,
    template,
    methods: ["GET", "POST"],
    dialect: "problem",
    audit: "issued",
    async run(request, { audit, correlationId, trace, signal }) {
      const read = await readHeaderRequest(request, kind, correlationId);
      if (!read.ok) return read;
      audit.add({ correlationId: read.value.correlationId });
      const exchange = await exchangeToken(exchangeContext, { ...read.value, trace, signal }, audit);
      return exchange.ok
        ? succeed(writeHeaderPayload(released(exchange.value, read.value, exchangeContext)))
        : exchange;
    },
  };
}
