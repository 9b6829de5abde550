/**
 * The nightly timer: deletes expired grants, a limited number at a time. With `GRANT_REAP` set to `dry-run`, it only
 * counts them.
 */
import type { TimerHandler } from "@azure/functions";
import type { GrantConfig } from "../../shared/config/config.ts";
import type { Service } from "../composition/compose.ts";
import type { GrantServices } from "../composition/grants.ts";
import { writeOperatorLog } from "../write-operator-log.ts";

/** A row takes a few milliseconds, so a round stays far below the time limit of the function. */
const ROWS_PER_ROUND = 500;
const ROUNDS_MAX = 10;

export function createReaper(
  service: Service,
  grantServices: GrantServices,
  { reapDryRun }: GrantConfig,
): TimerHandler {
  return async (_timer, context) => {
    const grants = await grantServices.grants();
    for (let round = 1; round <= ROUNDS_MAX; round++) {
      const reaped = await grants.reap({ dryRun: reapDryRun, limit: ROWS_PER_ROUND });
      const report = reaped.ok ? { ok: true, ...reaped.value } : { ok: false, reason: reaped.failure.kind };
      context.log(JSON.stringify({ event: "reap", dryRun: reapDryRun, round, ...report }));
      if (!reaped.ok || reapDryRun || !reaped.value.more || reaped.value.deleted === 0) break;
    }
    writeOperatorLog(service.operatorLog, context);
  };
}
