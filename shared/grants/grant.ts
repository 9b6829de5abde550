/**
 * The words of the grant stage: what a grant is, to whom it is bound, what can go wrong. Types only.
 */
import type { Grant } from "../core/grant.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { SealFailure } from "../sealing/seal-failure.ts";

/** The part of a validated caller that binding looks at; a `Caller` fits as it is. */
export interface GrantCaller {
  readonly kind: "user" | "application";
  readonly tenantId: string;
  readonly clientId: string;
  readonly objectId: string;
}

/** A grant as stored: the record, the sealed refresh token, and the row's version for compare-and-swap. */
export interface StoredGrant {
  readonly grant: Grant;
  /** JWE, see `seal.ts`. */
  readonly sealed: string;
  readonly etag: string;
}

/** A grant whose seal was opened by its handle for the caller it is bound to. Only `grants.ts` makes one. */
export interface UnsealedGrant extends StoredGrant {
  readonly handle: SecretValue;
  readonly refreshToken: SecretValue;
}

/** Whose grants: those that a caller may redeem, or also those that applications have in the caller's name. */
export interface GrantVisibility {
  readonly onTheirBehalf?: boolean;
}

/** One page of a caller's grants. `next` goes into the following call; undefined at the end. */
export interface GrantPage {
  readonly grants: readonly Grant[];
  readonly next: string | undefined;
}

export interface ReapReport {
  /** Rows past their expiry that were found (grants and index entries), at most the limit. */
  readonly expired: number;
  /** Rows deleted; zero in a dry run. */
  readonly deleted: number;
  /** Rows that could not be deleted; the next run finds them again. */
  readonly failed: number;
  /** More expired rows may remain. */
  readonly more: boolean;
}

/** `after` of a list request is not what an earlier page gave as `next`. */
export interface PageInvalid {
  readonly kind: "page_invalid";
}

/** There was a grant under this id; where it was to be made once, it was revoked since. */
export interface GrantExists {
  readonly kind: "grant_exists";
  readonly grantId: string;
}

/** The store itself: `code` is the service's or Node's code, at most 64 word characters, never a text. */
export type GrantStoreFailure =
  | { readonly kind: "store_unavailable"; readonly code: string }
  | { readonly kind: "store_timeout" }
  /** 401 or 403: our identity may not use the table. */
  | { readonly kind: "store_refused"; readonly code: string }
  /** A row does not read as what we write. */
  | { readonly kind: "store_row_invalid" };

/**
 * What can go wrong with a grant. `grant_unknown` and `grant_not_bound` must look the same to the outside (as must a
 * malformed handle): a caller that holds somebody else's handle learns nothing. The audit trail keeps them apart.
 */
export type GrantFailure =
  | { readonly kind: "handle_malformed" }
  | { readonly kind: "grant_unknown" }
  | { readonly kind: "grant_not_bound"; readonly grantId: string }
  | {
      readonly kind: "grant_expired";
      readonly grantId: string;
      readonly expiresAtSeconds: number;
      /** What it was, held against its seal. Undefined where the seal does not open (any more). */
      readonly sealedRecord: Grant | undefined;
    }
  | GrantExists
  /** Other writers changed the row again and again. Nothing is lost: the row holds a token that works. */
  | { readonly kind: "grant_conflict"; readonly grantId: string }
  | PageInvalid
  | SealFailure
  | GrantStoreFailure;
