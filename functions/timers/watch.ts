/**
 * The watch timer: checks readiness regularly and logs it. The alerts on readiness, on missing events and on expiring
 * credentials use these events (`ready`, `credential`).
 */
import type { TimerHandler } from "@azure/functions";
import type { Service } from "../composition/compose.ts";
import type { Readiness } from "../composition/readiness.ts";
import { writeOperatorLog } from "../write-operator-log.ts";

export function createWatch(service: Service, readiness: () => Promise<Readiness>): TimerHandler {
  return async (_timer, context) => {
    service.telemetry?.start();
    const { ready, checks } = await readiness();
    const { credential, applicationCredential, keys, sealingKey, grantStore } = checks;
    const { hash: policy, state: policyState } = checks.policy;
    const time = new Date(service.nowMs()).toISOString();
    const state = ready ? "ready" : "not_ready";
    context.log(JSON.stringify({ event: "ready", time, state, policy, policyState, keys, sealingKey, grantStore }));
    context.log(JSON.stringify({ event: "credential", time, registration: "delegated", ...credential }));
    if (applicationCredential !== undefined) {
      context.log(JSON.stringify({ event: "credential", time, registration: "app-only", ...applicationCredential }));
    }
    writeOperatorLog(service.operatorLog, context);
  };
}
