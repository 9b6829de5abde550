import type { AuditFacts } from "./audit-event.ts";

/** Collects the facts of one request. `functions/handle.ts` writes them as one audit event when the request ends. */
export interface AuditTrail {
  /** A later value for a fact replaces an earlier one. */
  add(facts: Partial<AuditFacts>): void;
}
