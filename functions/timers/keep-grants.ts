/**
 * The timers of grants: `keep-grants-alive` redeems idle grants of entries with `keepAliveDays`, `report-expiring-grants`
 * reports grants that end within two weeks. Each logs one event with what it did, without ids.
 */
import type { TimerHandler } from "@azure/functions";
import { codeOf } from "../../shared/http/failure-to-wire.ts";
import type { KeepAliveContext } from "../../shared/keep-alive/keep-alive-context.ts";
import type { Service } from "../composition/compose.ts";
import type { GrantServices } from "../composition/grants.ts";
import { writeOperatorLog } from "../write-operator-log.ts";

export function createKeepAlive(service: Service, grantServices: GrantServices): TimerHandler {
  return async (_timer, context) => {
    const { keepGrantsAlive } = await import("../../shared/keep-alive/keep-alive.ts");
    const report = await keepGrantsAlive(toKeepAliveContext(service, grantServices));
    context.log(JSON.stringify({ event: "keep_alive", ...report }));
    writeOperatorLog(service.operatorLog, context);
  };
}

export function createExpiringReport(service: Service, grantServices: GrantServices): TimerHandler {
  return async (_timer, context) => {
    const { reportExpiring } = await import("../../shared/keep-alive/report-expiring.ts");
    const report = await reportExpiring(toKeepAliveContext(service, grantServices));
    context.log(JSON.stringify({ event: "expiring", ...report }));
    writeOperatorLog(service.operatorLog, context);
  };
}

// ------------------------------------------------------------------------------------------------------------------

function toKeepAliveContext(service: Service, { grants, upkeep }: GrantServices): KeepAliveContext {
  return { ...service.exchangeContext, grantStore: grants, upkeep, codeOf };
}
