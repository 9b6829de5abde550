import { succeed } from "../../shared/core/result.ts";
import { exchangeToken } from "../../shared/exchange/exchange-token.ts";
import { type HeaderRoute, readHeaderRequest } from "../../shared/http/read-header-request.ts";
import { writeHeaderPayload } from "../../shared/http/write-answer.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";
import { toReleasedToken } from "./to-released-token.ts";

/**
 * `GET|POST /AuthorizationHeader/{api}`: answers the header object with a token of the user, from the user's own token
 * or from a grant.
 */
export function authorizationHeaderRoute(service: Service): Route {
  return headerRoute(service, "authorization-header", "AuthorizationHeader/{api}", "user");
}

/**
 * `GET|POST /AuthorizationHeaderUnauthenticated/{api}`: answers the header object with the application's own token.
 * The route requires authentication despite its name, which is the sidecar's.
 */
export function applicationHeaderRoute(service: Service): Route {
  return headerRoute(
    service,
    "authorization-header-application",
    "AuthorizationHeaderUnauthenticated/{api}",
    "application",
  );
}

function headerRoute({ exchangeContext, config }: Service, name: string, template: string, kind: HeaderRoute): Route {
  return {
    name,
    template,
    methods: ["GET", "POST"],
    dialect: "problem",
    audit: "issued",
    async run(request, { audit, correlationId, trace, signal }) {
      const read = await readHeaderRequest(request, { route: kind, tenantId: config.tenantId, correlationId });
      if (!read.ok) return read;
      audit.add({ correlationId: read.value.correlationId });
      const exchange = await exchangeToken(exchangeContext, { ...read.value, trace, signal }, audit);
      return exchange.ok
        ? succeed(writeHeaderPayload(toReleasedToken(exchange.value, read.value, exchangeContext)))
        : exchange;
    },
  };
}
