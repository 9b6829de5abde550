/** Translates the failures of the grant store and of seals into the failures of the request path. Pure. */
import type { Failure } from "../core/failure.ts";
import { fail, type Result } from "../core/result.ts";
import { unavailableDependency } from "../core/unavailable-dependency.ts";
import type { GrantFailure } from "../grants/grant-types.ts";

export function fromGrantResult<T>(result: Result<T, GrantFailure>): Result<T, Failure> {
  return result.ok ? result : fail(fromGrantFailure(result.failure));
}

export function fromGrantFailure(failure: GrantFailure): Failure {
  switch (failure.kind) {
    case "handle_malformed":
      return { kind: "request_invalid", problem: "handle_malformed" };
    case "grant_unknown":
      return { kind: "grant_refused", reason: "unknown" };
    case "grant_pending":
      return { kind: "grant_refused", reason: "pending", grantId: failure.grantId };
    case "grant_not_bound":
      return { kind: "grant_refused", reason: "not_bound" };
    case "grant_expired":
      return { kind: "grant_refused", reason: "expired" };
    case "grant_revoked":
    case "grant_too_old":
      return { kind: "grant_refused", reason: "revoked", grantId: failure.grantId };
    case "seal_broken":
      // A grant names the version of the key that sealed it; without that version only an administrator can help.
      return failure.problem === "key"
        ? { kind: "misconfigured", code: "sealing_key_missing" }
        : { kind: "grant_refused", reason: "unreadable" };
    case "seal_too_large":
    case "store_row_invalid":
      return { kind: "grant_refused", reason: "unreadable" };
    case "grant_limit":
      return { kind: "grant_refused", reason: "limit_reached" };
    case "code_used":
      return { kind: "code_refused", reason: "already_redeemed" };
    case "grant_answered":
      return { kind: "sign_in_refused", reason: "link_used" };
    // A random handle, so only a repeated write can find it: the request failed and may be repeated.
    case "grant_exists":
      return { kind: "dependency_failed", dependency: "grant_store", problem: "unavailable" };
    case "page_invalid":
      return { kind: "request_invalid", problem: "parameter_invalid", parameter: "after" };
    case "sealing_key_invalid":
      return { kind: "misconfigured", code: "sealing_key_invalid" };
    case "store_refused":
      return { kind: "misconfigured", code: "grant_store_refused" };
    case "sealing_key_unavailable":
      return unavailableDependency(failure.reason);
    // The store chose the key id, so the grant is good: the caller tries again.
    case "too_many_unknown_keys":
      return { kind: "dependency_failed", dependency: "key_vault", problem: "unavailable" };
    case "store_timeout":
      return { kind: "dependency_failed", dependency: "grant_store", problem: "timeout" };
    case "grant_conflict":
    case "store_unavailable":
      return { kind: "dependency_failed", dependency: "grant_store", problem: "unavailable" };
  }
}
