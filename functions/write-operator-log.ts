import type { InvocationContext } from "@azure/functions";
import type { OperatorLog } from "../shared/audit/operator-log.ts";

/** Events at information level. All others are warnings. */
const INFORMATION: readonly unknown[] = [
  "credential_read",
  "credential_changed",
  "credential_accepted",
  "loaded",
  "available",
  "delivery_recovered",
];

/** Writes the buffered events to the log of this invocation, oldest first. */
export function writeOperatorLog(operatorLog: OperatorLog, context: InvocationContext): void {
  for (const event of operatorLog.drain()) {
    const line = JSON.stringify(event);
    if (INFORMATION.includes(event["name"])) {
      context.log(line);
    } else {
      context.warn(line);
    }
  }
}
