/** Whose fault a refusal of Entra is when the service presents a client's own credential. */
import { describe, expect, test } from "vitest";
import { callerFailure, isRefusal } from "../../../shared/client-authentication/caller-failure.ts";
import type { EntraVerdict, Failure } from "../../../shared/core/failure.ts";

const PRESENTED = { method: "entra_secret", known: false } as const;

const refused = (codes: readonly number[], verdict: EntraVerdict = "credential_refused"): Failure => ({
  kind: "entra_refused",
  verdict,
  evidence: { codes, suberror: undefined, claims: undefined, traceId: undefined, correlationId: undefined },
  scopes: [],
});

test.each([
  [7000215, "a wrong secret"],
  [7000222, "an expired secret"],
  [700016, "an unknown application"],
  [7000112, "a disabled application"],
  [700027, "an unknown certificate"],
  [700024, "an assertion outside its times"],
  [700023, "an assertion for another audience"],
  [50027, "an assertion that is not one"],
  [700025, "a public client"],
  [53003, "Conditional Access for workload identities"],
  [90014, "an assertion that lacks a field"],
  [900144, "the same, as Entra words it for the body"],
  [12345, "a number that no one knows"],
])("AADSTS%i is the client's: %s", (code) => {
  for (const verdict of ["credential_refused", "misconfigured", "denied"] as const) {
    const failure = callerFailure(refused([code], verdict), PRESENTED);
    expect(failure).toMatchObject({ kind: "client_refused", method: "client_secret", evidence: { codes: [code] } });
    expect(isRefusal(failure)).toBe(true);
  }
});

test.each([500011, 1002012, 70011, 90002])("AADSTS%i is the service's, and no guess", (code) => {
  const failure = callerFailure(refused([code], "misconfigured"), { method: "entra_assertion", known: false });
  expect(failure).toMatchObject({ kind: "entra_refused", verdict: "misconfigured" });
  expect(isRefusal(failure)).toBe(false);
});

test("a number of the client beside one of the service is the client's", () => {
  expect(callerFailure(refused([500011, 7000215]), PRESENTED)).toMatchObject({ kind: "client_refused" });
});

describe("what is no answer of Entra's error form", () => {
  const { evidence } = refused([]) as Extract<Failure, { kind: "entra_refused" }>;
  const invalid: Failure = { kind: "dependency_failed", dependency: "entra", problem: "answer_invalid", evidence };

  test("is a refusal of a credential that was never right", () => {
    expect(callerFailure(invalid, PRESENTED)).toEqual({
      kind: "client_refused",
      method: "client_secret",
      reason: "entra",
      evidence,
    });
  });

  test("is Entra's fault for a credential that was right, and so is a 200 without a token", () => {
    expect(callerFailure(invalid, { ...PRESENTED, known: true })).toBe(invalid);
    const noToken: Failure = { kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" };
    expect(callerFailure(noToken, PRESENTED)).toBe(noToken);
  });

  test("is a refusal if the credential cannot even be sent", () => {
    const failure = callerFailure({ kind: "misconfigured", code: "credential_unusable" }, PRESENTED);
    expect(failure).toEqual({ kind: "client_refused", method: "client_secret", reason: "entra" });
  });
});

test("AADSTS501051 is a missing app role, as in a token without it", () => {
  const failure = callerFailure(refused([501051], "misconfigured"), PRESENTED);
  expect(failure).toEqual({ kind: "caller_refused", reason: "role_missing" });
  expect(isRefusal(failure)).toBe(true);
});

test.each<Failure>([
  { kind: "throttled", retryAfterSeconds: 3 },
  { kind: "dependency_failed", dependency: "entra", problem: "unavailable" },
  { kind: "dependency_failed", dependency: "entra", problem: "timeout" },
])("an outage and throttling decide nothing: %o", (failure) => {
  expect(callerFailure(failure, PRESENTED)).toBe(failure);
  expect(isRefusal(failure)).toBe(false);
});

test("a refused assertion names the method", () => {
  expect(callerFailure(refused([700027]), { method: "entra_assertion", known: false })).toMatchObject({
    method: "client_assertion",
  });
});
