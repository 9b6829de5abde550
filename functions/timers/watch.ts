/**
 * The watch timer: checks readiness regularly and logs it. The alerts on readiness, on missing events and on expiring
 * credentials use these events (`ready`, `credential`).
 */
import type { TimerHandler } from "@azure/functions";
import { APP_ONLY_REGISTRATION, DEFAULT_REGISTRATION } from "../../shared/core/registration-names.ts";
import type { Service } from "../composition/compose.ts";
import type { Readiness } from "../composition/readiness.ts";
import { writeOperatorLog } from "../write-operator-log.ts";

export function createWatch(service: Service, readiness: () => Promise<Readiness>): TimerHandler {
  return async (_timer, context) => {
    service.telemetry?.start();
    const { ready, checks } = await readiness();
    const { credential, registrationCredentials = {}, applicationCredential, keys, sealingKey, grantStore } = checks;
    const { hash: policy, state: policyState } = checks.policy;
    const time = new Date(service.nowMs()).toISOString();
    const state = ready ? "ready" : "not_ready";
    context.log(JSON.stringify({ event: "ready", time, state, policy, policyState, keys, sealingKey, grantStore }));
    const credentials = {
      [DEFAULT_REGISTRATION]: credential,
      ...registrationCredentials,
      ...(applicationCredential === undefined ? {} : { [APP_ONLY_REGISTRATION]: applicationCredential }),
    };
    for (const [registration, check] of Object.entries(credentials)) {
      context.log(JSON.stringify({ event: "credential", time, registration, ...check }));
    }
    writeOperatorLog(service.operatorLog, context);
  };
}
