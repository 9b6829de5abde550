/**
 * The watching timer: looks at readiness even when nobody asks, and logs it. The alerts on readiness and on the days
 * that the credential has left stand on these events (`ready`, `credential`), so a service that nobody calls still gives warning.
 */
import type { TimerHandler } from "@azure/functions";
import type { Service } from "./composition/compose.ts";
import type { Readiness } from "./readiness.ts";

export function createWatch(service: Service, readiness: () => Promise<Readiness>): TimerHandler {
  return async (_timer, context) => {
    const { ready, checks } = await readiness();
    const { credential, keys, grantStore } = checks;
    const time = new Date(service.nowMs()).toISOString();
    const state = ready ? "ready" : "not_ready";
    context.log(JSON.stringify({ event: "ready", time, state, keys, grantStore }));
    context.log(JSON.stringify({ event: "credential", time, ...credential }));
    for (const waiting of service.operatorLog.drain()) {
      context.warn(JSON.stringify(waiting));
    }
  };
}
