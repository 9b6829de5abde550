/**
 * The nightly timer: deletes expired grants, a limited number at a time, and grants that administrators have revoked. With
 * `GRANT_REAP` set to `dry-run`, it only counts them.
 */
import type { TimerHandler } from "@azure/functions";
import type { GrantConfig } from "../../shared/config/config.ts";
import type { Grants } from "../../shared/grants/grants.ts";
import type { Service } from "../composition/compose.ts";
import type { GrantServices } from "../composition/grants.ts";
import { writeOperatorLog } from "../write-operator-log.ts";

/** A row takes a few milliseconds, so a round stays far below the time limit of the function. */
const ROWS_PER_ROUND = 500;
const ROUNDS_MAX = 10;
/** Grants that one night looks at for revoked ones: some 50 queries. */
const REVOKED_LIMIT = 20_000;

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
      if (!reaped.ok) return writeOperatorLog(service.operatorLog, context);
      if (reapDryRun || !reaped.value.more || reaped.value.deleted === 0) break;
    }
    await reapRevoked(service, grants, { dryRun: reapDryRun, log: (line) => context.log(line) });
    writeOperatorLog(service.operatorLog, context);
  };
}

// ------------------------------------------------------------------------------------------------------------------

interface Run {
  readonly dryRun: boolean;
  readonly log: (line: string) => void;
}

async function reapRevoked({ revocations }: Service, grants: Grants, { dryRun, log }: Run): Promise<void> {
  const marks = await revocations.list();
  if (marks.ok && marks.value.length === 0) return;
  const reaped = marks.ok ? await grants.reapRevoked({ dryRun, limit: REVOKED_LIMIT }) : marks;
  if (!reaped.ok)
    return log(JSON.stringify({ event: "reap", revoked: true, dryRun, ok: false, reason: reaped.failure.kind }));
  const { expired: found, ...report } = reaped.value;
  log(JSON.stringify({ event: "reap", revoked: true, dryRun, ok: true, found, ...report }));
}
