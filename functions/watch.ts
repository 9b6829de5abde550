/**
 * The watching timer: looks at readiness even when nobody asks, and logs it. The alerts on readiness and on the days
 * that the credential has left stand on these events (`ready`), so a service that nobody calls still gives warning.
 */
import type { TimerHandler } from "@azure/functions";
import type { Service } from "./composition/compose.ts";
import type { Readiness } from "./readiness.ts";

export function createWatch(service: Service, readiness: () => Promise<Readiness>): TimerHandler {
  return async (_timer, context) => {
    const { ready, checks } = await readiness();
    const { credential, keys, grantStore } = checks;
    const event = { event: "ready", time: new Date(service.nowMs()).toISOString(), ready, keys, grantStore };
    context.log(JSON.stringify({ ...event, ...credential }));
    for (const waiting of service.operatorLog.drain()) {
      context.warn(JSON.stringify(waiting));
    }
  };
}
