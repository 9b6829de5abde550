/**
 * Registers every function of the app. Each route accepts all methods and answers 405 itself, because the host would
 * answer 404. The level is `anonymous`, because callers authenticate with a JWT and not with a function key.
 */
import { app, type HttpMethod } from "@azure/functions";
import type { Service } from "./composition/compose.ts";
import { createReadiness } from "./composition/readiness.ts";
import { hasCodeFlow, hasConfirmation, hasLinks } from "./composition/sign-in.ts";
import { createHandler, type Route } from "./handle.ts";
import { applicationHeaderRoute, authorizationHeaderRoute } from "./routes/authorization-header.ts";
import { authorizeRoute } from "./routes/authorize.ts";
import { callbackRoute } from "./routes/callback.ts";
import {
  applicationDownstreamApiPathRoute,
  applicationDownstreamApiRoute,
  downstreamApiPathRoute,
  downstreamApiRoute,
} from "./routes/downstream-api.ts";
import { grantsRoute } from "./routes/grants.ts";
import { healthRoute } from "./routes/health.ts";
import { authorizationServerRoute, protectedResourceRoute } from "./routes/metadata.ts";
import { parRoute } from "./routes/par.ts";
import { policyExplainRoute } from "./routes/policy-explain.ts";
import { readyRoute } from "./routes/ready.ts";
import { revokeRoute } from "./routes/revoke.ts";
import { signInRoute } from "./routes/signin.ts";
import { signInConfirmRoute } from "./routes/signin-confirm.ts";
import { signInLinksRoute } from "./routes/signin-links.ts";
import { tokenRoute } from "./routes/token.ts";
import { validateRoute } from "./routes/validate.ts";
import { createReaper } from "./timers/reap-grants.ts";
import { createWatch } from "./timers/watch.ts";

/** Without TRACE, because the request class of `@azure/functions` throws for it. The host answers 404. */
const EVERY_METHOD: HttpMethod[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** The routes of a service. A route whose feature is not configured does not exist. */
export function routesOf(service: Service, readiness = createReadiness(service)): readonly Route[] {
  return [
    tokenRoute(service),
    authorizationHeaderRoute(service),
    applicationHeaderRoute(service),
    downstreamApiRoute(service),
    downstreamApiPathRoute(service),
    applicationDownstreamApiRoute(service),
    applicationDownstreamApiPathRoute(service),
    validateRoute(service),
    grantsRoute(service),
    revokeRoute(service),
    policyExplainRoute(service),
    ...signInRoutes(service),
    protectedResourceRoute(service),
    authorizationServerRoute(service),
    healthRoute(),
    readyRoute(service, readiness),
  ];
}

/** The routes of the sign-in: for applications (pushed requests), for links, for both or for neither. */
function signInRoutes({ exchangeContext, identity }: Service): readonly Route[] {
  const { signIn, policy } = exchangeContext;
  if (signIn === undefined) return [];
  const context = { ...exchangeContext, signIn };
  return [
    callbackRoute(context),
    ...(hasCodeFlow(policy) ? [parRoute(context), authorizeRoute(context)] : []),
    // The host tries the functions in the order of their names: "signin-open" (signin/{link}) must sort after the others.
    ...(hasConfirmation(policy) ? [signInConfirmRoute(context, identity)] : []),
    ...(hasLinks(policy) ? [signInLinksRoute(context), signInRoute(context)] : []),
  ];
}

export function register(service: Service): void {
  const readiness = createReadiness(service);
  for (const route of routesOf(service, readiness)) {
    app.http(route.name, {
      authLevel: "anonymous",
      methods: EVERY_METHOD,
      route: route.template,
      handler: createHandler(service, route),
    });
  }
  const { telemetry } = service;
  if (telemetry !== undefined) {
    app.hook.appTerminate(() => telemetry.stop());
  }
  app.timer("watch", {
    // Every 15 minutes, but not on the quarter hour, when many other timers run.
    schedule: "20 7,22,37,52 * * * *",
    handler: createWatch(service, readiness),
  });
  if (service.grantServices !== undefined && service.config.grants !== undefined) {
    app.timer("reap-grants", {
      // 03:17 UTC: not on the full hour, when many other timers run.
      schedule: "0 17 3 * * *",
      handler: createReaper(service, service.grantServices, service.config.grants),
    });
  }
}
