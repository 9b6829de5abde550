/** A receiver of events. */
import type { Result } from "../core/result.ts";

export type TargetName = "event-grid" | "webhook";

export interface OutgoingEvent {
  readonly id: string;
  /** The CloudEvent as JSON. */
  readonly text: string;
}

export interface EventTarget {
  readonly name: TargetName;
  /** Events in one request. */
  readonly batchMax: number;
  /**
   * Sends one to `batchMax` events. True: the receiver has them all. The failure is a stable code, or `status_` and the
   * HTTP status. Never rejects.
   */
  send(events: readonly OutgoingEvent[]): Promise<Result<true, string>>;
}
