/** The types of grants: callers, stored and unsealed grants, pages and failures. */
import type { Grant, GrantBinding, RequestedGrant } from "../core/grant.ts";
import type { Result } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { UserIdentity } from "../core/user-identity.ts";
import type { SealFailure } from "../sealing/seal-failure.ts";

/** The properties of a validated caller that a grant is bound to. A `Caller` has them all. */
export interface GrantCaller {
  readonly kind: "user" | "application";
  readonly tenantId: string;
  readonly clientId: string;
  readonly objectId: string;
}

/** The content of a grant's row. */
export interface GrantContent {
  readonly grant: Grant;
  /** JWE, see `sealed-grant.ts`. */
  readonly sealed: string;
  /** JWE, see `sealed-handle.ts`. Undefined: only the caller has the handle. */
  readonly sealedHandle?: string | undefined;
}

/** A grant as stored: the record, the sealed refresh token, and the row's version for compare-and-swap. */
export interface StoredGrant extends GrantContent {
  readonly etag: string;
}

/** A requested grant as stored. Everything else about it is sealed with its handle. */
export interface StoredRequest {
  readonly requested: Pick<RequestedGrant, "id" | "binding" | "expiresAtSeconds">;
  readonly sealed: string;
  readonly etag: string;
}

/** What the store has under the id of a handle. */
export type StoredRow = StoredGrant | StoredRequest;

/** Whose grant it is. One that was only requested has no user. */
export interface BoundGrant {
  readonly id: string;
  readonly binding: GrantBinding;
  readonly user: UserIdentity | undefined;
  readonly policyEntry?: string;
  readonly expiresAtSeconds: number;
}

/** A grant that was unsealed with its handle for the caller it is bound to. Only `grants.ts` makes one. */
export interface UnsealedGrant extends StoredGrant {
  readonly handle: SecretValue;
  readonly refreshToken: SecretValue;
}

/** Which grants a caller sees: those it may redeem, and optionally those that applications hold on its behalf. */
export interface GrantVisibility {
  readonly onTheirBehalf?: boolean;
}

/** One page of a caller's grants. `next` is the `after` of the following request; undefined on the last page. */
export interface GrantPage {
  readonly grants: readonly Grant[];
  readonly next: string | undefined;
}

/** What a revocation compares of a grant that exists or is requested. */
export interface Revocable extends Pick<Grant, "id" | "binding" | "policyEntry" | "apis"> {
  /** Undefined: requested, and any person may allow it. */
  readonly user: Pick<UserIdentity, "objectId"> | undefined;
  /** When it was allowed or, before that, requested. */
  readonly allowedAtSeconds: number;
}

/** False: an administrator has revoked it. Fails while that cannot be known. */
export type IsLive = (grant: Revocable) => Promise<Result<boolean, GrantStoreFailure>>;

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

/** `after` of a list request is not the `next` of a page. */
export interface PageInvalid {
  readonly kind: "page_invalid";
}

/** A grant with this id exists. */
export interface GrantExists {
  readonly kind: "grant_exists";
  readonly grantId: string;
}

/**
 * A failure of the store. `code` is a code of the table service or of Node: at most 64 word characters, never a
 * message.
 */
export type GrantStoreFailure =
  | { readonly kind: "store_unavailable"; readonly code: string }
  | { readonly kind: "store_timeout" }
  /** 401 or 403: the service's identity may not use the table. */
  | { readonly kind: "store_refused"; readonly code: string }
  /** The service did not write this row. */
  | { readonly kind: "store_row_invalid" };

/**
 * Failures of grants. `grant_unknown` and `grant_not_bound` must give the same response, so that a caller with the handle
 * of another caller learns nothing. Only the audit event distinguishes them.
 */
export type GrantFailure =
  | { readonly kind: "handle_malformed" }
  | { readonly kind: "grant_unknown" }
  /** `presented`: the grant whose handle another caller presented. */
  | { readonly kind: "grant_not_bound"; readonly grantId: string; readonly presented?: BoundGrant }
  | {
      readonly kind: "grant_expired";
      readonly grantId: string;
      readonly expiresAtSeconds: number;
      /** The grant's record, compared with the sealed one. Undefined: it cannot be unsealed (any more). */
      readonly sealedRecord: Grant | undefined;
    }
  /** An administrator revoked it. No link makes it live again. */
  | { readonly kind: "grant_revoked"; readonly grantId: string }
  /** The policy counts no grant that was allowed so long ago. A person can allow it again. */
  | { readonly kind: "grant_too_old"; readonly grantId: string; readonly sealedRecord: Grant }
  /** No person has allowed the grant yet. `requested` is known only with the handle. */
  | { readonly kind: "grant_pending"; readonly grantId: string; readonly requested: RequestedGrant }
  /** The link of the grant was answered by another confirmation. */
  | { readonly kind: "grant_answered"; readonly grantId: string }
  | GrantExists
  /** The caller has as many grants of this person as the policy allows, and all were redeemed. */
  | { readonly kind: "grant_limit" }
  /** The authorization code was used before. */
  | { readonly kind: "code_used" }
  /** Other writers changed the row repeatedly. Nothing is lost: the row holds a valid refresh token. */
  | { readonly kind: "grant_conflict"; readonly grantId: string }
  | PageInvalid
  | SealFailure
  | GrantStoreFailure;
