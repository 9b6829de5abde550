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
} from "./grant-types.ts";

/** What a redemption changes in a row. */
export interface GrantChange {
  readonly sealed: string;
  readonly lastRedeemedAtSeconds: number | undefined;
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
  /** Undefined: the grant does not exist or was revoked. */
  read(id: string): Promise<Result<StoredGrant | undefined, GrantStoreFailure>>;
  /** Compare-and-swap on the row's etag. `changed`: another writer was faster. `gone`: the grant was deleted. */
  replace(
    stored: StoredGrant,
    change: GrantChange,
  ): Promise<Result<StoredGrant | "changed" | "gone", GrantStoreFailure>>;
  /** Deletes the grant first, then its index entries. False: the grant did not exist. */
  delete(grant: Grant): Promise<Result<boolean, GrantStoreFailure>>;
  /**
   * Replaces the grant with a tombstone: until `untilSeconds`, no grant can be created with its id. False: the
   * grant did not exist.
   */
  replaceWithTombstone(grant: Grant, untilSeconds: number): Promise<Result<boolean, GrantStoreFailure>>;
  /** Writes a tombstone for an id, whether the grant exists or not: until `untilSeconds`, none can be created. */
  writeTombstone(id: string, untilSeconds: number): Promise<Result<true, GrantStoreFailure>>;
  /** Newest first. `page_invalid`: `after` is not the `next` of a page. */
  list(request: ListGrants): Promise<Result<GrantPage, GrantStoreFailure | PageInvalid>>;
  /** Deletes (or in a dry run counts) rows that expired before `beforeSeconds`, at most `limit` of them. */
  reap(request: {
    readonly beforeSeconds: number;
    readonly limit: number;
    readonly dryRun: boolean;
  }): Promise<Result<ReapReport, GrantStoreFailure>>;
  /** Checks for readiness that the table can be read. */
  check(): Promise<Result<true, GrantStoreFailure>>;
}
