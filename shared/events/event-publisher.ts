/**
 * Publishes grant events. An event is written to the outbox first and sent at once; what could not be sent waits there
 * for the timer. So an event survives a receiver that is down, and a restart of the service.
 *
 *   publish    returns at once; never throws
 *   sendDue    the timer: sends what is due, gives up what is older than a day
 *
 * An event is sent at least once. Its id is the same each time.
 */
import type { GrantEvent, GrantEvents } from "../core/grant-event.ts";
import type { Result } from "../core/result.ts";
import { type CloudEvent, toCloudEvent } from "./cloud-event.ts";
import type { EventProblem } from "./event-problem.ts";
import type { EventTarget, TargetName } from "./event-target.ts";
import type { Outbox } from "./outbox.ts";
import { RETRY_SECONDS, type SendReport, sendDue } from "./send-due.ts";

export interface EventPublisher extends GrantEvents {
  /** Never rejects. */
  sendDue(): Promise<SendReport>;
  /** Resolves when each event that was published is written, and its first attempt has ended. */
  settled(): Promise<void>;
}

export interface EventPublisherInput {
  /** The URL of the service: `source` of each event. */
  readonly source: string;
  /** Made on first use, because the SDKs are lazy parts of the bundle. */
  readonly parts: () => Promise<{ readonly outbox: Outbox; readonly targets: readonly EventTarget[] }>;
  readonly nowSeconds: () => number;
  /** Must not throw. */
  readonly onProblem: (problem: EventProblem) => void;
}

/** Events being written at once; far more than a tenant causes. */
const WRITING_MAX = 100;
/** First attempts at the same time; the timer makes the others. */
const SENDING_MAX = 10;
/** Ids of the latest events, so that a caller that presents a wrong handle all night makes one row an hour. */
const KNOWN_MAX = 1_000;

export function createEventPublisher(input: EventPublisherInput): EventPublisher {
  const { source, parts, nowSeconds, onProblem } = input;
  const known = createKnownIds(KNOWN_MAX);
  const running = new Set<Promise<void>>();
  const health = createReceiverHealth(input);
  let sending = 0;

  const sendFirst = async (outbox: Outbox, target: EventTarget, event: CloudEvent): Promise<void> => {
    // The timer makes the attempts that are not made here.
    if (sending >= SENDING_MAX || health.failedRecently(target.name)) return;
    sending += 1;
    try {
      const sent = await target.send([event]);
      health.note(target.name, sent);
      if (sent.ok) await outbox.remove({ target: target.name, id: event.id });
    } finally {
      sending -= 1;
    }
  };
  const store = async (event: CloudEvent): Promise<void> => {
    const { outbox, targets } = await parts();
    const createdAtSeconds = nowSeconds();
    const stored = await Promise.all(
      targets.map(async (target) => {
        const waiting = { target: target.name, id: event.id, text: event.text, createdAtSeconds, attempts: 0 };
        const added = await outbox.add(waiting, createdAtSeconds + RETRY_SECONDS);
        if (!added.ok) onProblem({ name: "outbox_failed", reason: added.failure.kind });
        if (added.ok && added.value) await sendFirst(outbox, target, event);
        return added.ok;
      }),
    );
    if (stored.includes(false)) known.forget(event.id);
  };
  const start = (grantEvent: GrantEvent): void => {
    const event = toCloudEvent(grantEvent, source, nowSeconds());
    if (!known.add(event.id)) return;
    if (running.size >= WRITING_MAX) {
      known.forget(event.id);
      onProblem({ name: "outbox_failed", reason: "too_many" });
      return;
    }
    const task: Promise<void> = store(event)
      .catch(() => {
        known.forget(event.id);
        onProblem({ name: "outbox_failed", reason: "unexpected" });
      })
      .finally(() => running.delete(task));
    running.add(task);
  };

  return {
    publish: start,
    async sendDue() {
      const { outbox, targets } = await parts();
      return sendDue({ outbox, targets, nowSeconds: nowSeconds(), onSent: health.note, onProblem });
    },
    settled: async () => void (await Promise.all(running)),
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** Drops the oldest id when it is full. */
function createKnownIds(max: number) {
  const ids = new Set<string>();
  return {
    /** False: it is known. */
    add(id: string): boolean {
      if (ids.has(id)) return false;
      const [oldest] = ids;
      if (ids.size >= max && oldest !== undefined) ids.delete(oldest);
      ids.add(id);
      return true;
    },
    forget: (id: string) => ids.delete(id),
  };
}

/** Reports the first failure of a receiver, and its first success after that. */
function createReceiverHealth({ nowSeconds, onProblem }: Pick<EventPublisherInput, "nowSeconds" | "onProblem">) {
  const failedAtSeconds = new Map<TargetName, number>();
  return {
    failedRecently: (target: TargetName) => nowSeconds() - (failedAtSeconds.get(target) ?? 0) < RETRY_SECONDS,
    note(target: TargetName, sent: Result<true, string>): void {
      if (sent.ok) {
        if (failedAtSeconds.delete(target)) onProblem({ name: "delivery_recovered", target });
        return;
      }
      if (!failedAtSeconds.has(target)) onProblem({ name: "delivery_failed", target, reason: sent.failure });
      failedAtSeconds.set(target, nowSeconds());
    },
  };
}
