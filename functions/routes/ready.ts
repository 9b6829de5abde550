import { authenticate } from "../../shared/authenticate.ts";
import { readBearer } from "../../shared/http/read-proof.ts";
import { json } from "../../shared/http/write-answer.ts";
import { entryFor } from "../../shared/policy/weigh.ts";
import { succeed } from "../../shared/result.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";
import type { Readiness } from "../readiness.ts";

/** `GET /ready`: 200 or 503. Only callers in the policy are told what is wrong. */
export function readyRoute(service: Service, readiness: () => Promise<Readiness>): Route {
  return {
    name: "ready",
    template: "ready",
    methods: ["GET"],
    dialect: "problem",
    audit: "none",
    async run(request, { correlationId, trace }) {
      const { ready, checks } = await readiness();
      const bearer = readBearer(request);
      const caller = bearer.ok ? await authenticate({ ...service.stages, trace }, bearer.value) : bearer;
      const known = caller.ok && entryFor(service.stages.policy, caller.value) !== undefined;
      const status = ready ? "ready" : "not_ready";
      return succeed(json(ready ? 200 : 503, correlationId, known ? { status, checks } : { status }));
    },
  };
}
