/** What has been revoked. It outlives every version of the policy. */
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import { createRevocations, type Revocations, type RevocationsInput } from "../../shared/revocation/revocations.ts";

export function createRevocationState(
  input: Omit<RevocationsInput, "onTableChange">,
  operatorLog: OperatorLog,
): Revocations {
  return createRevocations({
    ...input,
    onTableChange: ({ readable, reason }) =>
      operatorLog.add({ event: "grants", name: readable ? "marks_readable" : "marks_unreadable", reason }),
  });
}
