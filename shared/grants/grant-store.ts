/**
 * The interface of the grant store. `table-grant-store.ts` implements it (loaded lazily, because it imports the SDK). A
 * store never gets a handle, a key or an unsealed refresh token: it stores a sealed string under an id. No SDK import
 * here.
 */
import type { Grant } from "../core/grant.ts";
import type { Result } from "../core/result.ts";
import type { ClaimCode, ClaimedCode } from "./code-rows.ts";
import type {
  GrantCaller,
  GrantContent,
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

/** What changes in a row besides an answer of the person. A member that is absent stays; an undefined one goes. */
export type GrantChange = Partial<
  Pick<
    Grant,
    | "verifiedAtSeconds"
    | "declinedConfirmation"
    | "lastRedeemedAtSeconds"
    | "lastRenewedAtSeconds"
    | "lastError"
    | "deadSinceSeconds"
    | "expiringReportedAtSeconds"
    | "keepAliveAfterSeconds"
  > &
    Pick<GrantContent, "sealed" | "sealedHandle">
>;

export interface ListGrants extends GrantVisibility {
  readonly caller: GrantCaller;
  /** Grants per page, 1 to 50. */
  readonly limit: number;
  /** `next` of the previous page. */
  readonly after?: string;
  /** Only grants that end at this time or before, seconds since 1970. */
  readonly endingBySeconds?: number | undefined;
}

export interface ListOfUser extends Pick<Grant, "binding" | "user"> {
  /** Grants that end after this time, seconds since 1970. */
  readonly afterSeconds: number;
  readonly atLeast: number;
}

/** Which grants a timer looks for. `continuation`: that of the page before. */
export type FindGrants = { readonly continuation?: string | undefined } & (
  | { readonly which: "kept_alive" }
  /** Grants that end after the first time and by the second, seconds since 1970. */
  | { readonly which: "ending"; readonly afterSeconds: number; readonly bySeconds: number }
);

export interface FoundGrants {
  readonly grants: readonly StoredGrant[];
  /** Undefined: this is the last page. */
  readonly continuation: string | undefined;
}

export interface GrantStore {
  /** Writes the index entry first, then the grant, so that no grant can exist that its owner cannot list. */
  create(content: GrantContent): Promise<Result<StoredGrant, GrantStoreFailure | GrantExists>>;
  /** Stores a requested grant under an id that no row has. */
  request(requested: StoredRequest["requested"], sealed: string): Promise<Result<true, GrantStoreFailure>>;
  /**
   * Replaces a requested grant, or a grant that a person allows again, by compare-and-swap. Writes the index entries
   * first, as `create` does.
   */
  allow(
    previous: StoredRow,
    content: GrantContent,
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
  /**
   * The live grants of one caller and one person, newest first. If the index has fewer than `atLeast` entries, an empty
   * list, without reading the rows.
   */
  listOfUser(request: ListOfUser): Promise<Result<readonly Grant[], GrantStoreFailure>>;
  /** Undefined: the code was not used before. */
  claimCode(claim: ClaimCode): Promise<Result<ClaimedCode, GrantStoreFailure>>;
  /** One page of grants of every owner, in no order, for the timers. */
  find(request: FindGrants): Promise<Result<FoundGrants, GrantStoreFailure>>;
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
