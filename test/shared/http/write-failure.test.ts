/** Failures as responses: bodies of RFC 6749 and RFC 9457, headers of RFC 6750 and RFC 9110. */
import { describe, expect, test } from "vitest";
import type { Failure } from "../../../shared/core/failure.ts";
import type { WireOptions } from "../../../shared/http/wire.ts";
import { type Identity, writeFailure } from "../../../shared/http/write-failure.ts";
import { CLAIMS, EVERY_FAILURE, EVIDENCE, nameOf, TRACE_ID } from "./support/failures.ts";

const IDENTITY: Identity = {
  tenantId: "c0470500-0000-4000-8000-000000000001",
  authorityHost: "https://login.microsoftonline.com",
  serviceUrl: "https://gte.example",
  registrations: [{ name: "default", clientId: "c0470500-0000-4000-8000-000000000002", appIdUri: "api://gte" }],
  documentationUrl: undefined,
};
const SCOPE = 'scope="api://gte/access_as_user"';
const CORRELATION_ID = "c0440000-0000-4000-8000-000000000009";
const OAUTH: WireOptions = { dialect: "oauth", understandsChallenge: true };
const PROBLEM: WireOptions = { dialect: "problem", understandsChallenge: true };
const BASE =
  'Bearer realm="c0470500-0000-4000-8000-000000000001", ' +
  'authorization_uri="https://login.microsoftonline.com/c0470500-0000-4000-8000-000000000001/oauth2/v2.0/authorize", ' +
  'resource_metadata="https://gte.example/.well-known/oauth-protected-resource"';

function write(failure: Failure, call: WireOptions = OAUTH) {
  const { response } = writeFailure(failure, call, IDENTITY, CORRELATION_ID);
  return { ...response, json: JSON.parse(response.body ?? "") as Record<string, unknown> };
}

function interactionRequired(claims: string): Failure {
  return { kind: "entra_refused", verdict: "interaction_required", evidence: { ...EVIDENCE, claims }, scopes: [] };
}

describe("body of a failure", () => {
  test("RFC 6749 section 5.2 with the service's members", () => {
    const { status, headers, json } = write(interactionRequired(CLAIMS));
    expect(status).toBe(400);
    expect(headers["Content-Type"]).toBe("application/json; charset=utf-8");
    expect(json).toEqual({
      error: "interaction_required",
      error_description: expect.stringMatching(/^Entra requires the user to sign in again/),
      code: "interaction_required",
      action: "sign_in",
      docs: "docs/troubleshooting.md#interaction_required",
      error_codes: [50076],
      suberror: "basic_action",
      claims: CLAIMS,
      trace_id: TRACE_ID,
      correlation_id: CORRELATION_ID,
    });
  });

  test("RFC 9457 with the same members (RF-70)", () => {
    const { status, headers, json } = write(interactionRequired(CLAIMS), PROBLEM);
    expect(status).toBe(401);
    expect(headers["Content-Type"]).toBe("application/problem+json; charset=utf-8");
    expect(json).toEqual({
      type: "about:blank",
      title: "Unauthorized",
      status: 401,
      detail: expect.stringMatching(/^Entra requires the user to sign in again/),
      error: "insufficient_claims",
      code: "interaction_required",
      action: "sign_in",
      docs: "docs/troubleshooting.md#interaction_required",
      error_codes: [50076],
      suberror: "basic_action",
      claims: CLAIMS,
      trace_id: TRACE_ID,
      correlation_id: CORRELATION_ID,
    });
  });

  test("members without a value are left out", () => {
    expect(Object.keys(write({ kind: "internal" }).json)).toEqual([
      "error",
      "error_description",
      "code",
      "action",
      "docs",
      "correlation_id",
    ]);
  });

  test("missing consent: the body lists the scopes", () => {
    const failure: Failure = {
      kind: "entra_refused",
      verdict: "consent_required",
      evidence: EVIDENCE,
      scopes: ["User.Read"],
    };
    expect(write(failure).json).toMatchObject({ scopes: ["User.Read"], suberror: "consent_required" });
  });
});

test("an ended grant: the body has the link for a new sign-in", () => {
  const signIn = { url: "https://gte.example/signin/x" };
  const failure: Failure = { kind: "entra_refused", verdict: "grant_dead", evidence: EVIDENCE, scopes: [], signIn };
  expect(write(failure).json).toMatchObject({ signin_url: signIn.url });
});

describe("WWW-Authenticate", () => {
  test("RF-42: without credentials the challenge has no error", () => {
    expect(write({ kind: "caller_missing" }).headers["WWW-Authenticate"]).toBe(`${BASE}, ${SCOPE}`);
  });

  test.each([OAUTH, PROBLEM])(
    "RF-41, RF-43, RF-63: a refused caller gets a challenge with the error, $dialect",
    (call) => {
      expect(write({ kind: "caller_refused", reason: "expired" }, call).headers["WWW-Authenticate"]).toBe(
        `${BASE}, error="invalid_token", error_description="The caller's token has expired. Get a new one. If a new one has expired too, the clocks differ: ask your administrator.", ${SCOPE}`,
      );
    },
  );

  test.each([
    ["scope_missing", "api://gte/access_as_user"],
    ["role_missing", "api://gte/.default"],
    ["guest", undefined],
  ] as const)("RF-42: a caller with %s gets 403 insufficient_scope with the scope %s", (reason, scope) => {
    const { status, headers } = write({ kind: "caller_refused", reason }, PROBLEM);
    expect(status).toBe(403);
    expect(headers["WWW-Authenticate"]).toContain('error="insufficient_scope"');
    expect(/ scope="([^"]*)"/.exec(headers["WWW-Authenticate"] ?? "")?.[1]).toBe(scope);
  });

  test("a claims challenge carries the claims in base64", () => {
    const header = write(interactionRequired(CLAIMS), PROBLEM).headers["WWW-Authenticate"] ?? "";
    const claims = /claims="([A-Za-z0-9+/=]+)"$/.exec(header)?.[1] ?? "";
    expect(header).toMatch(`${BASE}, error="insufficient_claims", error_description="`);
    expect(Buffer.from(claims, "base64").toString("utf8")).toBe(CLAIMS);
  });

  test.each([
    [2_048, true],
    [2_049, false],
  ])("claims of %i bytes are in the header: %s, and always in the body", (bytes, present) => {
    const frame = JSON.stringify({ x: "" }).length;
    const claims = JSON.stringify({ x: "y".repeat(bytes - frame) });
    const { headers, json } = write(interactionRequired(claims), PROBLEM);
    expect(headers["WWW-Authenticate"]?.includes("claims=")).toBe(present);
    expect(json["claims"]).toBe(claims);
  });
});

describe("other headers of a failure", () => {
  test.each([
    [7, "7"],
    [0, "1"],
    [-3, "1"],
    [1.2, "2"],
    [3_600, "3600"],
    [86_400, "3600"],
  ])("a wait of %s seconds becomes Retry-After %s", (retryAfterSeconds, header) => {
    const failures: readonly Failure[] = [
      { kind: "throttled", retryAfterSeconds },
      { kind: "budget_used_up", retryAfterSeconds },
      { kind: "dependency_failed", dependency: "entra", problem: "unavailable", retryAfterSeconds },
    ];
    for (const failure of failures) {
      expect(write(failure).headers["Retry-After"]).toBe(header);
    }
  });

  test.each<[Failure, string]>([
    [{ kind: "dependency_failed", dependency: "entra", problem: "unavailable" }, "5"],
    [{ kind: "dependency_failed", dependency: "grant_store", problem: "timeout" }, "1"],
    [{ kind: "deadline_passed" }, "1"],
  ])("%j without a known wait has Retry-After %s", (failure, header) => {
    expect(write(failure).headers["Retry-After"]).toBe(header);
  });

  test("SEC-12: 405 has Allow", () => {
    expect(write({ kind: "method_not_allowed", allow: ["GET", "POST"] }).headers["Allow"]).toBe("GET, POST");
  });
});

test("docs is the administrator's URL with the code, if there is one", () => {
  const documentationUrl = "https://wiki.contoso.example/gte?version=1";
  const { response } = writeFailure({ kind: "not_found" }, OAUTH, { ...IDENTITY, documentationUrl }, CORRELATION_ID);
  expect(JSON.parse(response.body ?? "")).toMatchObject({ docs: `${documentationUrl}#not_found` });
});

describe.each(EVERY_FAILURE.map((failure) => [nameOf(failure), failure] as const))("%s", (_name, failure) => {
  test.each([OAUTH, PROBLEM])("is written with all headers and members, in $dialect", (call) => {
    const { status, headers, json } = write(failure, call);
    expect(headers).toMatchObject({ "Cache-Control": "no-store", "client-request-id": CORRELATION_ID });
    expect(json["correlation_id"]).toBe(CORRELATION_ID);
    expect(json).toHaveProperty("error");
    for (const value of Object.values(headers)) {
      expect(value).toMatch(/^[\x20-\x7e]+$/);
    }
    const names = [...(headers["WWW-Authenticate"] ?? "").matchAll(/([a-z_]+)="/g)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect("WWW-Authenticate" in headers).toBe(status === 401 || json["error"] === "insufficient_scope");
    expect(json["docs"]).toBe(`docs/troubleshooting.md#${String(json["code"])}`);
    const wait = headers["Retry-After"];
    expect(wait === undefined ? [503, 504, 429].includes(status) : !/^[1-9]\d{0,3}$/.test(wait)).toBe(false);
    if (call.dialect === "problem") {
      expect(json).toMatchObject({ type: "about:blank", status });
      expect(json["title"]).not.toBe("Error");
    }
  });
});
