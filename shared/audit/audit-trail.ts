import type { AuditFacts } from "./audit-event.ts";

/** Collects the facts of one request. `functions/handle.ts` writes them as one audit event when the request ends. */
export interface AuditTrail {
  /** A later value replaces an earlier value of the same fact. */
  add(facts: Partial<AuditFacts>): void;
}
