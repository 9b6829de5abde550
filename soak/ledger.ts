/** What the clients of a soak know: their tokens, their grants, and the order in which things happened. */
import type { Answer } from "../test/support/service-under-test.ts";

export interface Person {
  readonly objectId: string;
  token: string;
  expiresAtSeconds: number;
}

export interface KnownGrant {
  readonly handle: string;
  readonly owner: Person;
  readonly holder: "user" | "application";
  readonly endsAtSeconds: number;
  /**
   * When its revocation was answered with 200, in the order of events. `asked`: somebody asked for it and got another answer,
   * so it may be revoked or not.
   */
  revoked: number | "asked" | undefined;
}

export interface Ledger {
  readonly people: readonly Person[];
  readonly grants: KnownGrant[];
  /** Counts events, so that "before" means the same for all clients. */
  next(): number;
}

export function createLedger(people: readonly Person[]): Ledger {
  let events = 0;
  return { people, grants: [], next: () => ++events };
}

/** One request and its answer. */
export interface Observed {
  readonly action: string;
  /** Whose rights the caller used. Undefined: the request must not get a token. */
  readonly owner: Person | undefined;
  readonly grant: KnownGrant | undefined;
  readonly startedAt: number;
  readonly answer: Answer;
}

export interface Violation {
  readonly rule: string;
  readonly detail: string;
}
