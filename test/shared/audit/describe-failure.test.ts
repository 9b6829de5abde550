/** The audit facts of a failure: codes and identifiers, and no text from outside. */
import { describe, expect, test } from "vitest";
import { describeFailure, outcomeOf } from "../../../shared/audit/describe-failure.ts";
import type { Failure } from "../../../shared/core/failure.ts";
import { EVERY_FAILURE, EVIDENCE, nameOf, TRACE_ID } from "../http/support/failures.ts";

const BARE = { ...EVIDENCE, codes: [], suberror: undefined, traceId: undefined };

test.each<[Failure, unknown]>([
  [{ kind: "caller_refused", reason: "expired" }, { reason: "expired" }],
  [{ kind: "subject_refused", reason: "not_a_user", presentedAs: "assertion" }, { reason: "not_a_user" }],
  [{ kind: "grant_refused", reason: "not_bound" }, { reason: "not_bound" }],
  [
    { kind: "policy_refused", reason: "public_client", entry: "web" },
    { reason: "public_client", policyEntry: "web" },
  ],
  [{ kind: "policy_refused", reason: "caller_not_listed" }, { reason: "caller_not_listed" }],
  [
    { kind: "scope_surplus", entry: "web", api: "graph", surplus: ["a", "b"] },
    { reason: "surplus: a b", policyEntry: "web", api: "graph" },
  ],
  [
    { kind: "entra_refused", verdict: "denied", evidence: EVIDENCE, scopes: [] },
    { reason: "basic_action", entraTraceId: TRACE_ID, aadsts: [50076] },
  ],
  [{ kind: "entra_refused", verdict: "denied", evidence: BARE, scopes: [] }, { reason: "denied" }],
  [{ kind: "request_invalid", problem: "parameter_missing", parameter: "scope" }, { reason: "scope" }],
  [{ kind: "request_invalid", problem: "body_not_json" }, {}],
  [
    {
      kind: "request_invalid",
      problem: "handle_malformed",
      parameter: "grant",
      hint: { looksLike: "expression" },
    },
    { reason: "grant: expression" },
  ],
  [
    { kind: "throttled", retryAfterSeconds: 7, evidence: EVIDENCE },
    { entraTraceId: TRACE_ID, aadsts: [50076] },
  ],
  [{ kind: "throttled", retryAfterSeconds: 7 }, {}],
  [{ kind: "misconfigured", code: "x", evidence: BARE }, {}],
  [{ kind: "internal" }, {}],
])("the audit facts of %j", (failure, facts) => {
  expect(describeFailure(failure)).toEqual(facts);
});

test.each(EVERY_FAILURE.map((failure) => [nameOf(failure), failure] as const))(
  "%s has a reason without free text and only declared facts",
  (_name, failure) => {
    const { reason = "", ...facts } = describeFailure(failure);
    expect(reason).toMatch(/^[\w:.$ -]*$/);
    expect(Object.keys(facts)).toEqual(
      Object.keys(facts).filter((name) => /^(policyEntry|api|entraTraceId|aadsts)$/.test(name)),
    );
  },
);

describe("audit outcome", () => {
  test.each([
    [400, "refused"],
    [401, "refused"],
    [403, "refused"],
    [405, "refused"],
    [500, "failed"],
    [504, "failed"],
  ] as const)("status %i is %s", (status, outcome) => {
    expect(outcomeOf({ kind: "internal" }, status)).toBe(outcome);
  });

  test("429 has the outcome `failed` when Entra throttles, and `refused` when the caller used up its budget", () => {
    expect(outcomeOf({ kind: "throttled", retryAfterSeconds: 1 }, 429)).toBe("failed");
    expect(outcomeOf({ kind: "budget_used_up", retryAfterSeconds: 1 }, 429)).toBe("refused");
  });

  test("what a stranger can cause with a client's id is `refused`", () => {
    expect(outcomeOf({ kind: "throttled", retryAfterSeconds: 1, unproved: true }, 429)).toBe("refused");
    const down = { kind: "dependency_failed", dependency: "entra", problem: "unavailable", unproved: true } as const;
    expect(outcomeOf(down, 503)).toBe("refused");
  });

  test.each([
    ["redirect", 502, "refused"],
    ["answer_too_large", 502, "refused"],
    ["unavailable", 503, "failed"],
    ["timeout", 504, "failed"],
  ] as const)("an answer of an API behind the relay: %s", (problem, status, outcome) => {
    expect(outcomeOf({ kind: "dependency_failed", dependency: "downstream", problem }, status)).toBe(outcome);
  });
});
