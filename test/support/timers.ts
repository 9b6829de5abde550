/** The timers of grants, run as the host runs them, and the events that they publish. */
import { InvocationContext, type Timer, type TimerHandler } from "@azure/functions";
import { createExpiringReport, createKeepAlive } from "../../functions/timers/keep-grants.ts";
import type { GrantEvent } from "../../shared/core/grant-event.ts";
import type { ServiceUnderTest } from "./service-under-test.ts";

const TIMER = { isPastDue: false } as Timer;

/** The events that one run of the timer logs. */
export async function runTimer(timer: TimerHandler): Promise<Record<string, unknown>[]> {
  const lines: string[] = [];
  const logHandler = (_level: string, ...args: unknown[]) => void lines.push(args.map(String).join(" "));
  await timer(TIMER, new InvocationContext({ functionName: "timer", invocationId: "timer", logHandler }));
  return lines.map((line) => JSON.parse(line));
}

/** One run of `keep-grants-alive`: what it counted. */
export async function keepAlive(at: ServiceUnderTest): Promise<Record<string, unknown>> {
  const [report = {}] = await runTimer(createKeepAlive(at.service, grantServicesOf(at)));
  return report;
}

/** One run of `report-expiring-grants`: what it counted. */
export async function reportExpiring(at: ServiceUnderTest): Promise<Record<string, unknown>> {
  const [report = {}] = await runTimer(createExpiringReport(at.service, grantServicesOf(at)));
  return report;
}

/** A recorder of events, for `surroundings`. */
const OF_TIMERS: readonly GrantEvent["kind"][] = ["expiring", "dead"];

export function recordEvents(): { readonly grantEvents: { publish(event: GrantEvent): void }; events: GrantEvent[] } {
  const events: GrantEvent[] = [];
  return { events, grantEvents: { publish: (event) => void (OF_TIMERS.includes(event.kind) && events.push(event)) } };
}

function grantServicesOf({ service }: ServiceUnderTest) {
  if (service.grantServices === undefined) throw new Error("no grant store");
  return service.grantServices;
}
