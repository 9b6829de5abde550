import { RELAY_METHODS } from "../../shared/core/downstream-target.ts";
import { RELAY_REQUEST_DEADLINE_MS } from "../../shared/core/limits.ts";
import type { HeaderRoute } from "../../shared/http/read-header-request.ts";
import type { Service } from "../composition/compose.ts";
import { once } from "../composition/once.ts";
import type { Route } from "../handle.ts";

interface RelayRoute {
  readonly name: string;
  /** The first segment of the path. */
  readonly prefix: string;
  readonly kind: HeaderRoute;
  readonly form: "path" | "sidecar";
}

/** `POST /DownstreamApi/{api}`: the request to the API is in the query, as the sidecar's clients send it. */
export function downstreamApiRoute(service: Service): Route {
  return relayRoute(service, { name: "downstream-api", prefix: "DownstreamApi", kind: "user", form: "sidecar" });
}

/** Any method on `/DownstreamApi/{api}/{*path}`: method, path and query are those of the request to the API. */
export function downstreamApiPathRoute(service: Service): Route {
  return relayRoute(service, { name: "downstream-api-path", prefix: "DownstreamApi", kind: "user", form: "path" });
}

/**
 * `POST /DownstreamApiUnauthenticated/{api}`: the same with the application's own token. The route requires authentication
 * despite its name, which is the sidecar's.
 */
export function applicationDownstreamApiRoute(service: Service): Route {
  const prefix = "DownstreamApiUnauthenticated";
  return relayRoute(service, { name: "downstream-api-application", prefix, kind: "application", form: "sidecar" });
}

/** Any method on `/DownstreamApiUnauthenticated/{api}/{*path}`. */
export function applicationDownstreamApiPathRoute(service: Service): Route {
  const prefix = "DownstreamApiUnauthenticated";
  return relayRoute(service, { name: "downstream-api-application-path", prefix, kind: "application", form: "path" });
}

// ------------------------------------------------------------------------------------------------------------------

function relayRoute(service: Service, { name, prefix, kind, form }: RelayRoute): Route {
  const { config, exchangeContext, relayOutbound: outbound } = service;
  const { cloud, serviceUrl, tenantId } = config;
  // Many deployments have no relay, so a cold start does not load it.
  const load = once(() =>
    Promise.all([import("../../shared/http/read-relay-request.ts"), import("../../shared/relay/relay.ts")]),
  );
  return {
    name,
    template: form === "path" ? `${prefix}/{api}/{*path}` : `${prefix}/{api}`,
    methods: form === "path" ? RELAY_METHODS : ["POST"],
    dialect: "problem",
    audit: "answered",
    deadlineMs: RELAY_REQUEST_DEADLINE_MS,
    async run(request, { audit, correlationId, trace, signal }) {
      service.warmUp(trace);
      const [{ readRelayRequest }, { relay }] = await load();
      const read = await readRelayRequest(request, { route: kind, form, tenantId, correlationId });
      if (!read.ok) return read;
      audit.add({ correlationId: read.value.exchange.correlationId });
      const routeUrl = `${serviceUrl}/${prefix}`;
      const exchange = { ...read.value.exchange, trace, signal };
      return relay(
        { exchangeContext, outbound, graphUrl: cloud.graphUrl, routeUrl },
        { ...read.value, exchange },
        audit,
      );
    },
  };
}
