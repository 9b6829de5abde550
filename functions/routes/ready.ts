import type { HttpRequest } from "@azure/functions";
import { authenticate } from "../../shared/authenticate.ts";
import type { Failure } from "../../shared/failure.ts";
import { readBearer } from "../../shared/http/read-proof.ts";
import { json } from "../../shared/http/write-answer.ts";
import { type Result, succeed } from "../../shared/result.ts";
import { noteCaller } from "../../shared/whose-token.ts";
import type { Service } from "../composition/compose.ts";
import type { Route, RouteContext } from "../handle.ts";
import type { Readiness } from "../readiness.ts";

/** App role that is told what is wrong. */
const ROLE = "Policy.Explain";

/** `GET /ready`: 200 or 503; HEAD too, for monitors. Details are for the app role `Policy.Explain`; a token that is presented is judged. */
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
      if (!entitled.ok) {
        return entitled;
      }
      const status = ready ? "ready" : "not_ready";
      return succeed(json(ready ? 200 : 503, context.correlationId, entitled.value ? { status, checks } : { status }));
    },
  };
}

/** Nobody in particular is not entitled; a bad token is refused like anywhere else, and audited. */
async function isEntitled(
  { stages }: Service,
  request: HttpRequest,
  { note, trace }: RouteContext,
): Promise<Result<boolean, Failure>> {
  const bearer = readBearer(request);
  if (!bearer.ok) {
    return bearer;
  }
  if (bearer.value === undefined) {
    return succeed(false);
  }
  const caller = await authenticate({ ...stages, trace }, bearer.value);
  if (caller.ok) {
    noteCaller(caller.value, note);
    return succeed(caller.value.roles.includes(ROLE));
  }
  // While the keys are out of reach nobody can be judged; that this is so is what the answer says.
  return caller.failure.kind === "dependency_failed" ? succeed(false) : caller;
}
