/**
 * What instances tell each other through level 2 about tokens that count no longer. It reaches them sooner than the grant
 * table does; nothing depends on that. Nothing here throws or waits longer than the store's short deadline.
 */
import type { MarkKind } from "../core/revocation.ts";

/** Everything that the key names and that is as old as `notBeforeSeconds` counts no longer. */
export interface SharedMark {
  /** An administrator revoked it (grants and tokens), or Entra refused it (tokens). */
  readonly by: "administrator" | "entra";
  readonly kind: MarkKind;
  readonly key: string;
  /** Seconds since 1970. */
  readonly notBeforeSeconds: number;
}

export interface SharedMarks {
  /** False: it could not be stored. */
  publish(mark: SharedMark): Promise<boolean>;
  /** What was published since the last call, the first time everything. Undefined: the store is unavailable. */
  newer(): Promise<readonly SharedMark[] | undefined>;
}
