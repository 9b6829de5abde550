/** Redirects to the client: 303, the unchanged redirect URI, the issuer, and the errors of RFC 6749. */
import { describe, expect, test } from "vitest";
import type { EntraVerdict, Failure } from "../../../shared/core/failure.ts";
import { codeLocation, errorLocation, redirect } from "../../../shared/http/write-redirect.ts";
import { EVIDENCE } from "./support/failures.ts";

const ISSUER = "https://gte.example";
const BACK = { redirectUri: "https://app.example/cb", state: "a&b=c d", codeChallenge: "c" };

function refused(verdict: EntraVerdict): Extract<Failure, { kind: "entra_refused" }> {
  return { kind: "entra_refused", verdict, evidence: EVIDENCE, scopes: [] };
}

test("a redirect is 303, not cached and without a referrer", () => {
  expect(redirect("https://x.example", [])).toEqual({
    status: 303,
    headers: {
      Location: "https://x.example",
      "Cache-Control": "no-store",
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
    },
    cookies: [],
  });
});

test.each<[string, typeof BACK | (Omit<typeof BACK, "state"> & { state: undefined }), string]>([
  [
    "the redirect with a code returns the state unchanged",
    BACK,
    "https://app.example/cb?code=our.code&iss=https%3A%2F%2Fgte.example&state=a%26b%3Dc+d",
  ],
  [
    "the redirect with a code and without a state",
    { ...BACK, state: undefined },
    "https://app.example/cb?code=our.code&iss=https%3A%2F%2Fgte.example",
  ],
  [
    "the redirect with a code keeps an existing query",
    { ...BACK, redirectUri: "https://app.example/cb?x=%2f", state: undefined },
    "https://app.example/cb?x=%2f&code=our.code&iss=https%3A%2F%2Fgte.example",
  ],
])("RFC 9207: %s", (_name, returnTo, location) => {
  expect(codeLocation(returnTo, "our.code", ISSUER)).toBe(location);
});

describe("RFC 6749 section 4.1.2.1: error in the redirect", () => {
  test.each<[Failure, string]>([
    [refused("denied"), "access_denied"],
    [refused("consent_required"), "consent_required"],
    [refused("interaction_required"), "interaction_required"],
    [{ ...refused("interaction_required"), openIdError: "login_required" }, "login_required"],
    [{ ...refused("interaction_required"), openIdError: "account_selection_required" }, "account_selection_required"],
    [refused("misconfigured"), "server_error"],
    [refused("credential_refused"), "server_error"],
    [{ kind: "throttled", retryAfterSeconds: 7 }, "temporarily_unavailable"],
    [{ kind: "dependency_failed", dependency: "entra", problem: "timeout" }, "temporarily_unavailable"],
    [{ kind: "internal" }, "server_error"],
  ])("%j", (failure, error) => {
    const { searchParams } = new URL(errorLocation(BACK, failure, ISSUER));
    expect(Object.fromEntries(searchParams)).toEqual({
      error,
      error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/),
      iss: ISSUER,
      state: BACK.state,
    });
  });
});
