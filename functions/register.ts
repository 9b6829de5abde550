/**
 * Every function of the app, registered with Functions. Each route takes every method and answers 405 itself, because
 * the host would say 404; `anonymous` because the JWT is the key.
 */
import { app, type HttpMethod } from "@azure/functions";
import type { Service } from "./composition/compose.ts";
import { createReadiness } from "./composition/readiness.ts";
import { hasCodeFlow, hasConfirmation, hasLinks } from "./composition/sign-in.ts";
import { createHandler, type Route } from "./handle.ts";
import { applicationHeaderRoute, authorizationHeaderRoute } from "./routes/authorization-header.ts";
import { authorizeRoute } from "./routes/authorize.ts";
import { callbackRoute } from "./routes/callback.ts";
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

/** TRACE is left to the host's 404: the package's own request class throws for it. */
const EVERY_METHOD: HttpMethod[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** The routes of a service; one that is not configured is not there. */
export function routesOf(service: Service, readiness = createReadiness(service)): readonly Route[] {
  return [
    tokenRoute(service),
    authorizationHeaderRoute(service),
    applicationHeaderRoute(service),
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

/** Signing in at Entra through us: for applications (pushed requests), for people (links), or neither. */
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
    // Every quarter of an hour, off the full minutes of everybody's timers.
    schedule: "20 7,22,37,52 * * * *",
    handler: createWatch(service, readiness),
  });
  if (service.grantServices !== undefined && service.config.grants !== undefined) {
    app.timer("reap-grants", {
      // 03:17 UTC: not the full hour, when everybody's timers run.
      schedule: "0 17 3 * * *",
      handler: createReaper(service, service.grantServices, service.config.grants),
    });
  }
}
