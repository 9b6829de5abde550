/**
 * Where grants are kept: the interface. `table-grant-store.ts` is the real one (loaded lazily, it brings the SDK). A
 * store knows nothing of handles, keys or refresh tokens: it keeps a sealed string under an id. No SDK import here.
 */
import type { Grant } from "../core/grant.ts";
import type { Result } from "../core/result.ts";
import type {
  GrantCaller,
  GrantExists,
  GrantPage,
  GrantStoreFailure,
  GrantVisibility,
  PageInvalid,
  ReapReport,
  StoredGrant,
} from "./grant.ts";

/** What a redemption changes in a row. */
export interface GrantChange {
  readonly sealed: string;
  readonly lastRedeemedAtSeconds: number | undefined;
}

export interface ListGrants extends GrantVisibility {
  readonly caller: GrantCaller;
  /** Grants per page, 1 to 50. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string;
}

export interface GrantStore {
  /** Writes the index entry first, then the grant, so that no grant can exist that its owner cannot list. */
  create(grant: Grant, sealed: string): Promise<Result<StoredGrant, GrantStoreFailure | GrantExists>>;
  /** `undefined`: there is no such grant, or no longer. */
  read(id: string): Promise<Result<StoredGrant | undefined, GrantStoreFailure>>;
  /** Compare-and-swap on the row's etag. `changed`: somebody else wrote first; `gone`: it was deleted. */
  replace(
    stored: StoredGrant,
    change: GrantChange,
  ): Promise<Result<StoredGrant | "changed" | "gone", GrantStoreFailure>>;
  /** Deletes the grant first, then its index entries. False: there was none. */
  delete(grant: Grant): Promise<Result<boolean, GrantStoreFailure>>;
  /** The same, and nothing can be made under its id until then. */
  bury(grant: Grant, untilSeconds: number): Promise<Result<boolean, GrantStoreFailure>>;
  /** Nothing can be made under this id until then, whether there was a grant or not; one that is there is gone. */
  forbid(id: string, untilSeconds: number): Promise<Result<true, GrantStoreFailure>>;
  /** Newest first. `page_invalid`: `after` is not a `next` of ours. */
  list(request: ListGrants): Promise<Result<GrantPage, GrantStoreFailure | PageInvalid>>;
  /** Deletes (or in a dry run counts) rows that expired before `beforeSeconds`, at most `limit` of them. */
  reap(request: {
    readonly beforeSeconds: number;
    readonly limit: number;
    readonly dryRun: boolean;
  }): Promise<Result<ReapReport, GrantStoreFailure>>;
  /** Can the table be read? For readiness. */
  check(): Promise<Result<true, GrantStoreFailure>>;
}
