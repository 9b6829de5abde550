/**
 * The nightly timer: deletes grants that have expired, a bounded number at a time. Until the operator says `delete`, it
 * counts them only.
 */
import type { TimerHandler } from "@azure/functions";
import type { GrantConfig } from "../../shared/config/config.ts";
import type { Service } from "../composition/compose.ts";
import type { GrantServices } from "../composition/grants.ts";
import { writeOperatorLog } from "../write-operator-log.ts";

/** At a few milliseconds a row, a round stays far below the function's time limit. */
const ROWS_PER_ROUND = 500;
const ROUNDS_MAX = 10;

export function createReaper(service: Service, parts: GrantServices, { reapDryRun }: GrantConfig): TimerHandler {
  return async (_timer, context) => {
    const grants = await parts.grants();
    for (let round = 1; round <= ROUNDS_MAX; round++) {
      const reaped = await grants.reap({ dryRun: reapDryRun, limit: ROWS_PER_ROUND });
      const report = reaped.ok ? { ok: true, ...reaped.value } : { ok: false, reason: reaped.failure.kind };
      context.log(JSON.stringify({ event: "reap", dryRun: reapDryRun, round, ...report }));
      if (!reaped.ok || reapDryRun || !reaped.value.more || reaped.value.deleted === 0) break;
    }
    writeOperatorLog(service.operatorLog, context);
  };
}
