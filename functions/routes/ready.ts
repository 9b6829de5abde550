import type { HttpRequest } from "@azure/functions";
import { authenticate } from "../../shared/caller/authenticate.ts";
import { hasOperatorRole } from "../../shared/caller/operator-role.ts";
import type { Failure } from "../../shared/core/failure.ts";
import { type Result, succeed } from "../../shared/core/result.ts";
import { readBearer } from "../../shared/http/read-client-authentication.ts";
import { json } from "../../shared/http/write-answer.ts";
import type { Service } from "../composition/compose.ts";
import type { Readiness } from "../composition/readiness.ts";
import { serviceVersion } from "../composition/version.ts";
import type { Route, RouteContext } from "../handle.ts";

/** The app role that gets the details. */
const ROLE = "Policy.Explain";
/** Seconds. */
const RETRY_AFTER = "5";

/**
 * `GET|HEAD /ready`: answers 200 or 503, and the version, so that a deployment can wait for its own. Only a caller with the app role `Policy.Explain` gets the details. A token is
 * optional, but an invalid one is refused.
 */
export function readyRoute(service: Service, readiness: () => Promise<Readiness>): Route {
  return {
    name: "ready",
    template: "ready",
    methods: ["GET", "HEAD"],
    dialect: "problem",
    audit: "none",
    async run(request, context) {
      const { ready, checks } = await readiness();
      const entitled = await isEntitled(service, request, context);
      if (!entitled.ok) return entitled;
      const summary = { status: ready ? "ready" : "not_ready", version: serviceVersion };
      const body = entitled.value ? { ...summary, checks } : summary;
      const answer = json(ready ? 200 : 503, context.correlationId, body);
      return succeed(ready ? answer : { ...answer, headers: { ...answer.headers, "Retry-After": RETRY_AFTER } });
    },
  };
}

// ------------------------------------------------------------------------------------------------------------------

/** No caller is entitled by default. An invalid token is refused and audited, as on every route. */
async function isEntitled(
  { exchangeContext }: Service,
  request: HttpRequest,
  { audit, trace }: RouteContext,
): Promise<Result<boolean, Failure>> {
  const bearer = readBearer(request);
  if (!bearer.ok) return bearer;
  if (bearer.value === undefined) return succeed(false);
  const caller = await authenticate({ ...exchangeContext, trace }, bearer.value, audit);
  if (caller.ok) return succeed(hasOperatorRole(caller.value, ROLE, exchangeContext.registrations));
  // Without Entra's signing keys no token can be validated. The answer reports that, so it is not a refusal.
  return caller.failure.kind === "dependency_failed" ? succeed(false) : caller;
}
