/**
 * The interface of the grant store. `table-grant-store.ts` implements it (loaded lazily, because it imports the SDK). A
 * store never gets a handle, a key or an unsealed refresh token: it stores a sealed string under an id. No SDK import
 * here.
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
  StoredRequest,
  StoredRow,
} from "./grant-types.ts";
import type { SearchGrants } from "./search-grants.ts";

/** What a redemption changes in a row. */
export interface GrantChange {
  readonly sealed: string;
  readonly lastRedeemedAtSeconds: number | undefined;
  readonly verifiedAtSeconds?: number;
  readonly declinedConfirmation?: string;
}

export interface ListGrants extends GrantVisibility {
  readonly caller: GrantCaller;
  /** Grants per page, 1 to 50. */
  readonly limit: number;
  /** `next` of the previous page. */
  readonly after?: string;
}

export interface GrantStore {
  /** Writes the index entry first, then the grant, so that no grant can exist that its owner cannot list. */
  create(grant: Grant, sealed: string): Promise<Result<StoredGrant, GrantStoreFailure | GrantExists>>;
  /** Stores a requested grant under an id that no row has. */
  request(requested: StoredRequest["requested"], sealed: string): Promise<Result<true, GrantStoreFailure>>;
  /**
   * Replaces a requested grant, or a grant that a person allows again, by compare-and-swap. Writes the index entries
   * first, as `create` does.
   */
  allow(
    previous: StoredRow,
    grant: Grant,
    sealed: string,
  ): Promise<Result<StoredGrant | "changed" | "gone", GrantStoreFailure>>;
  /** Undoes `allow`, unless the row changed since. False: it did. */
  restore(allowed: StoredGrant, previous: StoredRow): Promise<Result<boolean, GrantStoreFailure>>;
  /** Deletes a requested grant, unless the row changed since. */
  withdraw(stored: StoredRequest): Promise<Result<"removed" | "changed" | "gone", GrantStoreFailure>>;
  /** Undefined: nothing exists under this id, or it was revoked. */
  read(id: string): Promise<Result<StoredRow | undefined, GrantStoreFailure>>;
  /** Compare-and-swap on the row's etag. `changed`: another writer was faster. `gone`: the grant was deleted. */
  replace(
    stored: StoredGrant,
    change: GrantChange,
  ): Promise<Result<StoredGrant | "changed" | "gone", GrantStoreFailure>>;
  /** Deletes the grant first, then its index entries. False: the grant did not exist. */
  delete(grant: Grant): Promise<Result<boolean, GrantStoreFailure>>;
  /** Newest first. `page_invalid`: `after` is not the `next` of a page. */
  list(request: ListGrants): Promise<Result<GrantPage, GrantStoreFailure | PageInvalid>>;
  /** For administrators: the grants of any owner, in the order of their ids. */
  search(request: SearchGrants): Promise<Result<GrantPage, GrantStoreFailure>>;
  /** Deletes (or in a dry run counts) rows that expired before `beforeSeconds`, at most `limit` of them. */
  reap(request: {
    readonly beforeSeconds: number;
    readonly limit: number;
    readonly dryRun: boolean;
  }): Promise<Result<ReapReport, GrantStoreFailure>>;
  /** Checks for readiness that the table can be read. */
  check(): Promise<Result<true, GrantStoreFailure>>;
}
