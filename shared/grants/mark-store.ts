/** The interface of the store of marks, and what an administrator's mark says. No I/O. */
import type { Result } from "../core/result.ts";
import type { RevocationTarget } from "../core/revocation.ts";
import type { GrantStoreFailure } from "./grant-types.ts";

/** An administrator's revocation. */
export interface RevocationMark extends RevocationTarget {
  /** GUID. */
  readonly id: string;
  /** What was allowed or acquired until then counts no longer, seconds since 1970. */
  readonly notBeforeSeconds: number;
  /** In the administrator's words. */
  readonly reason: string;
  readonly createdAtSeconds: number;
  /** `azp` and `oid` of the administrator's token. */
  readonly by: { readonly clientId: string; readonly objectId: string };
}

export interface MarksRead {
  /** Changes with every new mark. */
  readonly version: string;
  readonly marks: readonly RevocationMark[];
}

/** The store has its maximum of marks. */
export interface MarksFull {
  readonly kind: "marks_full";
}

export interface MarkStore {
  /** The marks, unless they still have the version that the caller knows. */
  read(knownVersion: string | undefined): Promise<Result<MarksRead | "unchanged", GrantStoreFailure>>;
  /** Stores a mark, and removes those that it makes superfluous. After that, every `read` returns it. */
  add(mark: RevocationMark): Promise<Result<true, GrantStoreFailure | MarksFull>>;
}
