/** The timer for grant events: sends what the receivers have not accepted yet, and logs what it did. */
import type { TimerHandler } from "@azure/functions";
import type { EventPublisher } from "../../shared/events/event-publisher.ts";
import type { Service } from "../composition/compose.ts";
import { writeOperatorLog } from "../write-operator-log.ts";

export function createSendEvents({ nowMs, operatorLog }: Service, events: EventPublisher): TimerHandler {
  return async (_timer, context) => {
    const report = await events.sendDue();
    if (report.due > 0) {
      const time = new Date(nowMs()).toISOString();
      context.log(JSON.stringify({ event: "events", time, name: "sent", ...report }));
    }
    writeOperatorLog(operatorLog, context);
  };
}
