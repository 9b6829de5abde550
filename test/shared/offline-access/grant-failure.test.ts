/** What each failure of the grant store and of a seal means for a request. */
import { expect, test } from "vitest";
import type { Failure } from "../../../shared/core/failure.ts";
import type { GrantFailure } from "../../../shared/grants/grant-types.ts";
import { fromGrantFailure } from "../../../shared/offline-access/grant-failure.ts";

const grantId = "f".repeat(64);
const store = (problem: "unavailable" | "timeout"): Failure => ({
  kind: "dependency_failed",
  dependency: "grant_store",
  problem,
});
const refused = (reason: Extract<Failure, { kind: "grant_refused" }>["reason"]): Failure => ({
  kind: "grant_refused",
  reason,
});
const ofVault = (problem: "unavailable" | "timeout" | "answer_invalid"): Failure => ({
  kind: "dependency_failed",
  dependency: "key_vault",
  problem,
});
const ofIdentity = (problem: "unavailable" | "timeout" | "answer_invalid"): Failure => ({
  kind: "dependency_failed",
  dependency: "managed_identity",
  problem,
});
const keyUnavailable = (reason: string): GrantFailure => ({ kind: "sealing_key_unavailable", reason });

test.each<[string, GrantFailure, Failure]>([
  ["a text that is no handle", { kind: "handle_malformed" }, { kind: "request_invalid", problem: "handle_malformed" }],
  ["an unknown grant", { kind: "grant_unknown" }, refused("unknown")],
  ["another caller's grant", { kind: "grant_not_bound", grantId }, refused("not_bound")],
  [
    "an expired grant",
    { kind: "grant_expired", grantId, expiresAtSeconds: 0, sealedRecord: undefined },
    refused("expired"),
  ],
  ["a grant that was answered", { kind: "grant_answered", grantId }, { kind: "sign_in_refused", reason: "link_used" }],
  ["a grant that exists", { kind: "grant_exists", grantId }, store("unavailable")],
  ["a grant that others change", { kind: "grant_conflict", grantId }, store("unavailable")],
  [
    "a cursor that is none",
    { kind: "page_invalid" },
    { kind: "request_invalid", problem: "parameter_invalid", parameter: "after" },
  ],
  [
    "a seal whose key is gone",
    { kind: "seal_broken", problem: "key" },
    { kind: "misconfigured", code: "sealing_key_missing" },
  ],
  ["a seal of another row", { kind: "seal_broken", problem: "row" }, refused("unreadable")],
  ["a record that is too long", { kind: "seal_too_large" }, refused("unreadable")],
  ["a row of another program", { kind: "store_row_invalid" }, refused("unreadable")],
  [
    "a key of the wrong form",
    { kind: "sealing_key_invalid", version: "v" },
    { kind: "misconfigured", code: "sealing_key_invalid" },
  ],
  ["too many unknown keys", { kind: "too_many_unknown_keys" }, ofVault("unavailable")],
  [
    "a table that refuses the service",
    { kind: "store_refused", code: "AuthorizationFailure" },
    { kind: "misconfigured", code: "grant_store_refused" },
  ],
  ["a table without an answer", { kind: "store_timeout" }, store("timeout")],
  ["a table that is down", { kind: "store_unavailable", code: "ECONNRESET" }, store("unavailable")],
  ["a vault without an answer", keyUnavailable("vault_timeout"), ofVault("timeout")],
  ["a vault that answers nonsense", keyUnavailable("vault_answer_invalid"), ofVault("answer_invalid")],
  ["a vault that is down", keyUnavailable("vault_unreachable"), ofVault("unavailable")],
  ["an identity without an answer", keyUnavailable("identity_timeout"), ofIdentity("timeout")],
  ["an identity without a token", keyUnavailable("assertion_missing"), ofIdentity("answer_invalid")],
  ["an identity with an old token", keyUnavailable("assertion_expired"), ofIdentity("unavailable")],
  ["an identity that is down", keyUnavailable("identity_unavailable"), ofIdentity("unavailable")],
])("%s", (_name, failure, expected) => {
  expect(fromGrantFailure(failure)).toEqual(expected);
});
