/**
 * The timer's part: sends the events whose next attempt is due, the oldest first. An event that fails waits longer each
 * time; after a day it is given up. A receiver that fails several times in a row is left alone until the next run.
 */
import { inGroups } from "../core/in-groups.ts";
import type { Result } from "../core/result.ts";
import type { EventProblem } from "./event-problem.ts";
import type { EventTarget, TargetName } from "./event-target.ts";
import { GIVE_UP_SECONDS, type Outbox, oldestFirst, type WaitingEvent } from "./outbox.ts";

/** Wait after the first attempt. It doubles with each failure. */
export const RETRY_SECONDS = 60;
const RETRY_MAX_SECONDS = 3_600;
/** The oldest events above this number are given up: some 40 MB of rows. */
const WAITING_MAX = 10_000;
/** Rows of one receiver that one run reads. The next run finds the others. */
const ROWS_PER_RUN = 500;
/** Requests at once to one receiver. */
const REQUESTS_AT_ONCE = 5;
/** Failed rounds in a row after which a receiver is left alone. */
const FAILED_ROUNDS_MAX = 2;

export interface SendDue {
  readonly outbox: Outbox;
  readonly targets: readonly EventTarget[];
  readonly nowSeconds: number;
  readonly onSent: (target: TargetName, sent: Result<true, string>) => void;
  readonly onProblem: (problem: EventProblem) => void;
}

/** What one run did, in events. */
export interface SendReport {
  readonly due: number;
  readonly sent: number;
  readonly failed: number;
  readonly givenUp: number;
}

export async function sendDue(input: SendDue): Promise<SendReport> {
  const { outbox, targets, nowSeconds, onProblem } = input;
  const found = await outbox.due(nowSeconds, ROWS_PER_RUN);
  if (!found.ok) {
    onProblem({ name: "outbox_failed", reason: found.failure.kind });
    return { due: 0, sent: 0, failed: 0, givenUp: 0 };
  }
  const due = found.value.toSorted(oldestFirst);
  const isOver = ({ createdAtSeconds }: WaitingEvent) => createdAtSeconds + GIVE_UP_SECONDS <= nowSeconds;
  const tooOld = await giveUp(input, due.filter(isOver), "too_old");
  const counts = await Promise.all(
    targets.map((target) =>
      sendTo(
        input,
        target,
        due.filter((event) => event.target === target.name && !isOver(event)),
      ),
    ),
  );
  const surplus = due.length < ROWS_PER_RUN ? undefined : await outbox.surplus(WAITING_MAX);
  const tooMany = surplus?.ok === true ? await giveUp(input, surplus.value, "too_many") : 0;
  const total = (count: "sent" | "failed") => counts.reduce((sum, one) => sum + one[count], 0);
  return { due: due.length, sent: total("sent"), failed: total("failed"), givenUp: tooOld + tooMany };
}

// ---------------------------------------------------------------------------------------------------------------

async function giveUp(
  { outbox, onProblem }: SendDue,
  events: readonly Pick<WaitingEvent, "target" | "id">[],
  reason: "too_old" | "too_many",
): Promise<number> {
  const counts = new Map<TargetName, number>();
  for (const batch of inGroups(events, REQUESTS_AT_ONCE)) {
    const removed = await Promise.all(
      batch.map(async (event) => ((await outbox.remove(event)).ok ? [event.target] : [])),
    );
    for (const target of removed.flat()) counts.set(target, (counts.get(target) ?? 0) + 1);
  }
  for (const [target, count] of counts) onProblem({ name: "given_up", target, reason, count });
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

async function sendTo(
  input: SendDue,
  target: EventTarget,
  events: readonly WaitingEvent[],
): Promise<{ readonly sent: number; readonly failed: number }> {
  let [sent, failed, failedRounds] = [0, 0, 0];
  for (const round of inGroups(inGroups(events, target.batchMax), REQUESTS_AT_ONCE)) {
    const outcomes = await Promise.all(round.map((batch) => sendBatch(input, target, batch)));
    sent += outcomes.reduce((sum, one) => sum + one.sent, 0);
    failed += outcomes.reduce((sum, one) => sum + one.failed, 0);
    failedRounds = outcomes.some((one) => one.sent > 0) ? 0 : failedRounds + 1;
    if (failedRounds >= FAILED_ROUNDS_MAX) break;
  }
  return { sent, failed };
}

async function sendBatch({ outbox, nowSeconds, onSent }: SendDue, target: EventTarget, batch: readonly WaitingEvent[]) {
  const sent = await target.send(batch);
  onSent(target.name, sent);
  await Promise.all(
    batch.map((event) => (sent.ok ? outbox.remove(event) : outbox.postpone(event, nowSeconds + waitSeconds(event)))),
  );
  return sent.ok ? { sent: batch.length, failed: 0 } : { sent: 0, failed: batch.length };
}

/** `attempts` does not count the first one. */
function waitSeconds({ attempts }: WaitingEvent): number {
  return Math.min(RETRY_SECONDS * 2 ** (attempts + 1), RETRY_MAX_SECONDS);
}
