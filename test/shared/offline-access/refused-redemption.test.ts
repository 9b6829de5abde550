/** Which failures the row of a grant records: those that are about the grant. */
import { describe, expect, test } from "vitest";
import type { EntraVerdict, Failure } from "../../../shared/core/failure.ts";
import { codeOf } from "../../../shared/http/failure-to-wire.ts";
import { toRefusal } from "../../../shared/offline-access/refused-redemption.ts";

const evidence = { codes: [], suberror: undefined, claims: undefined, traceId: undefined, correlationId: undefined };
const refusedBy = (verdict: EntraVerdict): Failure => ({
  kind: "entra_refused",
  verdict,
  evidence,
  scopes: [],
  flow: "refresh-token",
});

describe("a failed redemption", () => {
  test.each<[string, Failure, string, boolean]>([
    ["a dead refresh token", refusedBy("grant_dead"), "grant_dead", true],
    ["a demand for the person", refusedBy("interaction_required"), "interaction_required", false],
    ["a missing consent", refusedBy("consent_required"), "consent_required", false],
    ["a denial", refusedBy("denied"), "access_denied", false],
    [
      "a surplus of scopes",
      { kind: "scope_surplus", entry: "e", api: "graph", surplus: ["X"] },
      "scope_surplus",
      false,
    ],
    ["an answer about another person", { kind: "grant_refused", reason: "user_changed" }, "grant_invalid", false],
    ["a guest", { kind: "sign_in_refused", reason: "guest" }, "signin_guest", false],
  ])(
    "by %s is recorded with its code, and is dead only if Entra refused it for good",
    (_title, failure, code, isDead) => {
      expect(toRefusal(failure, codeOf)).toEqual({ code, isDead });
    },
  );

  test.each<[string, Failure]>([
    ["a throttled Entra", { kind: "throttled", retryAfterSeconds: 1 }],
    ["the caller's own budget", { kind: "budget_used_up", retryAfterSeconds: 1 }],
    ["an Entra that does not answer", { kind: "dependency_failed", dependency: "entra", problem: "timeout" }],
    ["a store that does not answer", { kind: "dependency_failed", dependency: "grant_store", problem: "timeout" }],
    ["a revocation during the call", { kind: "grant_refused", reason: "unknown" }],
    ["a scope that the policy does not list", { kind: "policy_refused", reason: "scope_not_allowed" }],
    ["a refused credential of the service", refusedBy("credential_refused")],
    ["the deadline", { kind: "deadline_passed" }],
  ])("by %s is not recorded", (_title, failure) => {
    expect(toRefusal(failure, codeOf)).toBeUndefined();
  });
});
