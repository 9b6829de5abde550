import type { TargetName } from "./event-target.ts";

/** For the operator log. `reason` is a stable code, or `status_` and an HTTP status. */
export type EventProblem =
  | { readonly name: "delivery_failed"; readonly target: TargetName; readonly reason: string }
  | { readonly name: "delivery_recovered"; readonly target: TargetName }
  | {
      readonly name: "given_up";
      readonly target: TargetName;
      readonly reason: "too_old" | "too_many";
      readonly count: number;
    }
  /** An event is lost, or the timer could not read the outbox. */
  | { readonly name: "outbox_failed"; readonly reason: string };
