import { exchangeToken } from "../../shared/exchange-token.ts";
import { type HeaderRoute, readHeaderRequest } from "../../shared/http/read-header-request.ts";
import { writeHeaderPayload } from "../../shared/http/write-answer.ts";
import { succeed } from "../../shared/result.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";
import { released } from "../released.ts";

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

function headerRoute({ stages }: Service, name: string, template: string, kind: HeaderRoute): Route {
  return {
    name,
    template,
    methods: ["GET", "POST"],
    dialect: "problem",
    audit: "issued",
    async run(request, { note, correlationId, trace, isOver }) {
      const read = await readHeaderRequest(request, kind, correlationId);
      if (!read.ok) {
        return read;
      }
      note({ correlationId: read.value.correlationId });
      const exchange = await exchangeToken(stages, { ...read.value, trace, isOver }, note);
      return exchange.ok ? succeed(writeHeaderPayload(released(exchange.value, read.value, stages))) : exchange;
    },
  };
}
