/**
 * Registers every function of the app. Each route accepts all methods and answers 405 itself, because the host would
 * answer 404. The level is `anonymous`, because callers authenticate with a JWT and not with a function key.
 *
 * Functions can be registered only while the app loads. With a policy in a blob, every route is therefore registered, and
 * each request finds the handler of the current version of the policy.
 */
import { app, type HttpHandler, type HttpMethod, type TimerHandler } from "@azure/functions";
import { fail } from "../shared/core/result.ts";
import { createGrantsOfPerson } from "../shared/offline-access/grants-of-person.ts";
import type { Service } from "./composition/compose.ts";
import { stopEvents } from "./composition/events.ts";
import type { PolicyVersions } from "./composition/policy-versions.ts";
import { createReadiness } from "./composition/readiness.ts";
import { hasCodeFlow, hasConfirmation, hasLinks, usesSignIn } from "./composition/sign-in.ts";
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
import { homeRoute } from "./routes/home.ts";
import { manageGrantsRoute } from "./routes/manage-grants.ts";
import { manageRevocationsRoute } from "./routes/manage-revocations.ts";
import { meRoute } from "./routes/me.ts";
import {
  authorizationServerRoute,
  keySetRoute,
  openIdConfigurationRoute,
  protectedResourceRoute,
} from "./routes/metadata.ts";
import { openapiRoute } from "./routes/openapi.ts";
import { parRoute } from "./routes/par.ts";
import { policyExplainRoute } from "./routes/policy-explain.ts";
import { readyRoute } from "./routes/ready.ts";
import { revokeRoute } from "./routes/revoke.ts";
import { signInRoute } from "./routes/signin.ts";
import { signInConfirmRoute } from "./routes/signin-confirm.ts";
import { signInLinksRoute } from "./routes/signin-links.ts";
import { tokenRoute } from "./routes/token.ts";
import { validateRoute } from "./routes/validate.ts";
import { createExpiringReport, createKeepAlive } from "./timers/keep-grants.ts";
import { createReaper } from "./timers/reap-grants.ts";
import { createSendEvents } from "./timers/send-events.ts";
import { createWatch } from "./timers/watch.ts";

/** Without TRACE, because the request class of `@azure/functions` throws for it. The host answers 404. */
const EVERY_METHOD: HttpMethod[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** A function with an HTTP trigger. */
export interface HttpFunction {
  readonly name: string;
  readonly template: string;
  readonly handler: HttpHandler;
}

/** The functions of one version of the policy. */
export interface ServiceVersion {
  readonly service: Service;
  /** By name. */
  readonly handlers: ReadonlyMap<string, HttpHandler>;
  readonly watch: TimerHandler;
  /** Undefined: no grant store is configured. */
  readonly grantTimers: GrantTimers | undefined;
}

interface GrantTimers {
  readonly keepAlive: TimerHandler;
  readonly reportExpiring: TimerHandler;
}

/** The routes of a service. A route whose feature is not configured does not exist. */
export function routesOf(service: Service, readiness = createReadiness(service)): readonly Route[] {
  return listRoutes(service, readiness).flatMap(({ route, when }) => (when === "never" ? [] : [route]));
}

/** Registers a service whose policy never changes. */
export function register(service: Service): void {
  const readiness = createReadiness(service);
  const functions = routesOf(service, readiness).map((route) => toFunction(route, createHandler(service, route)));
  registerAll(service, functions, { watch: createWatch(service, readiness), grantTimers: grantTimersOf(service) });
}

/** Registers a service whose policy changes while it runs. */
export function registerVersions(versions: PolicyVersions<ServiceVersion>): void {
  const current =
    (find: (version: ServiceVersion) => TimerHandler | undefined): TimerHandler =>
    async (timer, context) =>
      find(await versions.forRequest())?.(timer, context);
  registerAll(versions.latest().service, functionsOfVersions(versions), {
    watch: current(({ watch }) => watch),
    grantTimers: {
      keepAlive: current(({ grantTimers }) => grantTimers?.keepAlive),
      reportExpiring: current(({ grantTimers }) => grantTimers?.reportExpiring),
    },
  });
}

/** Every route, each with a handler that asks for the version of the policy once. A probe does not wait for a read. */
export function functionsOfVersions(versions: PolicyVersions<ServiceVersion>): readonly HttpFunction[] {
  const { service } = versions.latest();
  return listRoutes(service, createReadiness(service)).map(({ route, when }) =>
    toFunction(route, async (request, context) => {
      const forRequest = versions.forRequest();
      const { handlers } = when === "always" ? versions.latest() : await forRequest;
      return (handlers.get(route.name) ?? notFound)(request, context);
    }),
  );
}

/** One version. `isLoaded` is false before the first policy: then only routes that need no policy work. */
export function createVersion(service: Service, isLoaded: boolean): ServiceVersion {
  const readiness = createReadiness(service);
  const handlers = listRoutes(service, readiness).map(({ route, when }): [string, HttpHandler] => {
    if (when === "always" || (isLoaded && when === "with_policy")) return [route.name, createHandler(service, route)];
    return [route.name, isLoaded ? notFound : createHandler(service, { ...route, run: policyUnavailable })];
  });
  // Before the first policy no entry is known, and every grant would look as if its entry were gone.
  const grantTimers = isLoaded ? grantTimersOf(service) : undefined;
  return { service, handlers: new Map(handlers), watch: createWatch(service, readiness), grantTimers };
}

// ------------------------------------------------------------------------------------------------------------------

interface ListedRoute {
  readonly route: Route;
  /** `always`: even before the first policy is loaded. `never`: this policy does not use the route. */
  readonly when: "always" | "with_policy" | "never";
}

function listRoutes(service: Service, readiness: ReturnType<typeof createReadiness>): readonly ListedRoute[] {
  const { exchangeContext, signInState, grantServices } = service;
  const { policy } = exchangeContext;
  const signIn = { ...exchangeContext, signIn: signInState };
  const myAccess = grantServices && {
    ...signIn,
    grants: createGrantsOfPerson(grantServices.grants, exchangeContext.events),
  };
  const always = (route: Route): ListedRoute => ({ route, when: "always" });
  const listed = (route: Route, isUsed = true): ListedRoute => ({ route, when: isUsed ? "with_policy" : "never" });
  return [
    listed(tokenRoute(service)),
    listed(authorizationHeaderRoute(service)),
    listed(applicationHeaderRoute(service)),
    listed(downstreamApiRoute(service)),
    listed(downstreamApiPathRoute(service)),
    listed(applicationDownstreamApiRoute(service)),
    listed(applicationDownstreamApiPathRoute(service)),
    listed(validateRoute(service)),
    listed(grantsRoute(service)),
    listed(revokeRoute(service)),
    ...(grantServices === undefined
      ? []
      : [listed(manageGrantsRoute(service, grantServices)), listed(manageRevocationsRoute(service, grantServices))]),
    listed(policyExplainRoute(service)),
    listed(meRoute(myAccess)),
    // The sign-in: for `/me`, for applications (pushed requests), for links, or for none.
    listed(callbackRoute(signIn, myAccess), usesSignIn(policy) || myAccess !== undefined),
    listed(parRoute(signIn), hasCodeFlow(policy)),
    listed(authorizeRoute(signIn), hasCodeFlow(policy)),
    // The host tries the functions in the order of their names: "signin-open" (signin/{link}) must sort after the others.
    listed(signInConfirmRoute(signIn), hasConfirmation(policy)),
    listed(signInLinksRoute(signIn), hasLinks(policy)),
    listed(signInRoute(signIn), hasLinks(policy)),
    always(protectedResourceRoute(service)),
    listed(authorizationServerRoute(service)),
    listed(openIdConfigurationRoute(service)),
    always(keySetRoute()),
    always(openapiRoute(service)),
    always(homeRoute(service)),
    always(healthRoute()),
    always(readyRoute(service, readiness)),
  ];
}

const policyUnavailable: Route["run"] = () =>
  Promise.resolve(fail({ kind: "dependency_failed", dependency: "policy", problem: "unavailable" }));

/** As the host answers a path without a function. */
const notFound: HttpHandler = () => ({ status: 404 });

function toFunction({ name, template }: Route, handler: HttpHandler): HttpFunction {
  return { name, template, handler };
}

function grantTimersOf(service: Service): GrantTimers | undefined {
  const { grantServices } = service;
  return (
    grantServices && {
      keepAlive: createKeepAlive(service, grantServices),
      reportExpiring: createExpiringReport(service, grantServices),
    }
  );
}

function registerAll(
  service: Service,
  functions: readonly HttpFunction[],
  { watch, grantTimers }: Pick<ServiceVersion, "watch" | "grantTimers">,
): void {
  for (const { name, template, handler } of functions) {
    app.http(name, { authLevel: "anonymous", methods: EVERY_METHOD, route: template, handler });
  }
  const { telemetry, grantEvents } = service;
  if (telemetry !== undefined) {
    app.hook.appTerminate(() => telemetry.stop());
  }
  if (grantEvents !== undefined) {
    app.hook.appTerminate(() => stopEvents(grantEvents));
    app.timer("send-events", {
      // Every five minutes, but not when many other timers run.
      schedule: "40 3/5 * * * *",
      handler: createSendEvents(service, grantEvents),
    });
  }
  app.timer("watch", {
    // Every 15 minutes, but not on the quarter hour, when many other timers run.
    schedule: "20 7,22,37,52 * * * *",
    handler: watch,
  });
  if (service.grantServices !== undefined && service.config.grants !== undefined) {
    app.timer("reap-grants", {
      // 03:17 UTC: not on the full hour, when many other timers run.
      schedule: "0 17 3 * * *",
      handler: createReaper(service, service.grantServices, service.config.grants),
    });
    if (grantTimers !== undefined) registerGrantTimers(grantTimers);
  }
}

function registerGrantTimers({ keepAlive, reportExpiring }: GrantTimers): void {
  // Each hour, so that the calls to Entra are spread over the day.
  app.timer("keep-grants-alive", { schedule: "40 43 * * * *", handler: keepAlive });
  // 04:11 UTC: before the working day of most owners.
  app.timer("report-expiring-grants", { schedule: "0 11 4 * * *", handler: reportExpiring });
}
