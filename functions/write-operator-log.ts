import type { InvocationContext } from "@azure/functions";
import type { OperatorLog } from "../shared/audit/operator-log.ts";

/** Good news; everything else that waits in the operator log deserves a warning. */
const GOOD_NEWS: readonly unknown[] = ["credential_read", "credential_changed"];

/** Writes what waited for an invocation, oldest first. */
export function writeOperatorLog(operatorLog: OperatorLog, context: InvocationContext): void {
  for (const event of operatorLog.drain()) {
    const line = JSON.stringify(event);
    if (GOOD_NEWS.includes(event["name"])) {
      context.log(line);
    } else {
      context.warn(line);
    }
  }
}
