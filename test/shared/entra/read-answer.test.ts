/** Reading Entra's error responses: claims, suberrors, errors, throttling and invalid responses. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EntraVerdict } from "../../../shared/core/failure.ts";
import { type FailedRequest, readRefusal, retryAfterSeconds } from "../../../shared/entra/read-answer.ts";
import type { OutboundResponse } from "../../../shared/outbound/outbound.ts";
import { AADSTS_TABLE } from "./support/aadsts-table.ts";
import { CORRELATION_ID, entraError, NOW_MS, TRACE_ID } from "./support/entra-answers.ts";

const UNLISTED = 99_999;
const CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["00000000-0000-4000-8000-000000000000"]}}}';
const ASSERTION: FailedRequest = { scopes: ["s"], grantKind: "assertion", presentedAs: "subject_token" };
const REFRESH: FailedRequest = { scopes: ["s"], grantKind: "refresh_token" };
const APPLICATION: FailedRequest = { scopes: ["s"], grantKind: "application" };

function read(answer: OutboundResponse, request: FailedRequest = ASSERTION) {
  return readRefusal(answer, request, NOW_MS);
}

function raw(status: number, body: string, headers: Record<string, string> = {}): OutboundResponse {
  return { status, headers, body };
}

describe("claims take precedence over the error number (E-59, E-64)", () => {
  const classes = new Set(["throttled", "unavailable"]);
  test.each(AADSTS_TABLE.filter(({ expected }) => !classes.has(expected)))(
    "AADSTS$code with claims is interaction_required",
    (row) => {
      expect(read(entraError({ ...row, claims: CLAIMS }))).toMatchObject({
        verdict: "interaction_required",
        evidence: { claims: CLAIMS },
      });
    },
  );

  test.each([
    ["not JSON", "{"],
    ["an array", "[]"],
    ["a string", '"x"'],
    ["null", "null"],
    ["larger than 4 KiB", JSON.stringify({ access_token: { x: "y".repeat(5_000) } })],
  ])("claims that are %s are dropped, and the number decides", (_name, claims) => {
    expect(read(entraError({ code: 53003, error: "invalid_grant", claims }))).toMatchObject({
      verdict: "denied",
      evidence: { claims: undefined },
    });
  });

  test("claims that are not a string are dropped", () => {
    const body = JSON.stringify({ error: "invalid_grant", error_codes: [53003], claims: { access_token: {} } });
    expect(read(raw(400, body))).toMatchObject({ verdict: "denied", evidence: { claims: undefined } });
  });
});

describe("E-64: an unlisted number is classified by suberror, then by error", () => {
  test.each<[string | undefined, string, FailedRequest, EntraVerdict]>([
    ["basic_action", "invalid_grant", ASSERTION, "interaction_required"],
    ["additional_action", "invalid_grant", ASSERTION, "interaction_required"],
    ["user_password_expired", "invalid_grant", ASSERTION, "interaction_required"],
    ["consent_required", "invalid_grant", ASSERTION, "consent_required"],
    ["message_only", "invalid_grant", ASSERTION, "denied"],
    // An error that requires an action takes precedence over message_only.
    ["message_only", "interaction_required", ASSERTION, "interaction_required"],
    ["message_only", "login_required", ASSERTION, "interaction_required"],
    ["message_only", "consent_required", ASSERTION, "consent_required"],
    ["bad_token", "interaction_required", REFRESH, "grant_dead"],
    ["bad_token", "invalid_grant", REFRESH, "grant_dead"],
    ["token_expired", "invalid_grant", REFRESH, "grant_dead"],
    ["something_new", "invalid_grant", ASSERTION, "denied"],
    [undefined, "interaction_required", ASSERTION, "interaction_required"],
    [undefined, "login_required", ASSERTION, "interaction_required"],
    [undefined, "consent_required", ASSERTION, "consent_required"],
    [undefined, "access_denied", ASSERTION, "denied"],
    [undefined, "invalid_grant", REFRESH, "grant_dead"],
    [undefined, "invalid_grant", ASSERTION, "denied"],
    [undefined, "invalid_grant", APPLICATION, "denied"],
    [undefined, "invalid_client", ASSERTION, "misconfigured"],
    [undefined, "unheard_of", ASSERTION, "misconfigured"],
  ])("suberror %s with error %s, request %j, is %s", (suberror, error, request, verdict) => {
    const given = { code: UNLISTED, error, ...(suberror === undefined ? {} : { suberror }) };
    expect(read(entraError(given), request)).toMatchObject({ kind: "entra_refused", verdict });
  });

  test("TC-27: suberror token_expired without a number requires another sign-in of the user", () => {
    const body = JSON.stringify({ error: "invalid_grant", suberror: "token_expired" });
    expect(read(raw(400, body), REFRESH)).toMatchObject({ verdict: "grant_dead", evidence: { codes: [] } });
  });

  test("a failure says how the assertion was presented, and says nothing for a refresh token", () => {
    expect(read(entraError({ code: 50013, error: "invalid_grant" }))).toMatchObject({ presentedAs: "subject_token" });
    expect(read(entraError({ code: 70008, error: "invalid_grant" }), REFRESH)).not.toHaveProperty("presentedAs");
  });
});

describe("the error description (E-60, E-61)", () => {
  const words = [
    "interaction_required login_required consent_required",
    "basic_action additional_action message_only bad_token token_expired",
    "AADSTS50076 AADSTS65001 AADSTS7000215 AADSTS90055",
    "temporarily_unavailable server_error invalid_client",
  ];
  test.each(AADSTS_TABLE)("does not change the class of AADSTS$code", (row) => {
    const plain = read(entraError(row));
    for (const text of words) {
      expect(read(entraError({ ...row, text }))).toEqual(plain);
    }
  });

  test("property: no description changes a failure", () => {
    const plain = read(entraError({ code: 700016, error: "unauthorized_client" }));
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        expect(read(entraError({ code: 700016, error: "unauthorized_client", text }))).toEqual(plain);
      }),
    );
  });

  test("property: no failure contains text of Entra's error description", () => {
    fc.assert(
      fc.property(fc.constantFrom(...AADSTS_TABLE), (row) => {
        const failure = read(entraError({ ...row, text: "user@contoso.example 203.0.113.7" }));
        expect(JSON.stringify(failure)).not.toMatch(/contoso|203\.0/);
      }),
    );
  });
});

describe("the evidence contains only identifiers", () => {
  test.each([
    ["numbers as strings", ["50013"], []],
    ["fractions", [1.5, 1e9 + 0.5, 50013], [50013]],
    ["a number instead of a list", 50013, []],
    ["more than eight numbers", Array.from({ length: 20 }, (_, index) => index), [0, 1, 2, 3, 4, 5, 6, 7]],
  ])("error_codes with %s", (_name, error_codes, codes) => {
    const body = JSON.stringify({ error: "invalid_client", error_codes });
    expect(read(raw(401, body))).toMatchObject({ evidence: { codes } });
  });

  test.each(["Two words", "UPPER", 'quote"', "x".repeat(65), "", 7])("suberror %j is dropped", (suberror) => {
    const body = JSON.stringify({ error: "invalid_client", suberror });
    expect(read(raw(401, body))).toMatchObject({ evidence: { suberror: undefined } });
  });

  test("identifiers come from the headers if the body has none, and only GUIDs are accepted (E-57)", () => {
    const body = JSON.stringify({ error: "invalid_client", trace_id: "no guid", correlation_id: 7 });
    const headers = { "x-ms-request-id": TRACE_ID, "client-request-id": CORRELATION_ID };
    expect(read(raw(401, body, headers))).toMatchObject({
      evidence: { traceId: TRACE_ID, correlationId: CORRELATION_ID },
    });
    expect(read(raw(401, body, { "x-ms-request-id": "<script>", "client-request-id": "a\r\nb" }))).toMatchObject({
      evidence: { traceId: undefined, correlationId: undefined },
    });
  });
});

describe("throttling (E-110, E-111, E-112, TC-24)", () => {
  test("a plain-text 429 is throttling with the Retry-After of Entra", () => {
    expect(read(raw(429, "Too Many Requests", { "retry-after": "7" }))).toMatchObject({
      kind: "throttled",
      retryAfterSeconds: 7,
    });
  });

  test("a 429 without Retry-After is throttling for one minute", () => {
    expect(read(raw(429, ""))).toMatchObject({ kind: "throttled", retryAfterSeconds: 60 });
  });

  test("AADSTS50196 is throttling although its status is 400", () => {
    const answer = entraError({ code: 50196, error: "invalid_grant" });
    const withHeader = { ...answer, headers: { "retry-after": "300" } };
    expect(read(withHeader)).toMatchObject({ kind: "throttled", retryAfterSeconds: 300 });
  });

  test.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ["", undefined],
    ["  ", undefined],
    ["0", 1],
    ["7", 7],
    [" 7 ", 7],
    ["3600", 3_600],
    ["86400", 3_600],
    ["999999999", 3_600],
    ["99999999999999999999", 3_600],
    ["9".repeat(400), 3_600],
    ["-5", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["7, 8", undefined],
    [new Date(NOW_MS + 30_000).toUTCString(), 30],
    [new Date(NOW_MS + 10 * 3_600_000).toUTCString(), 3_600],
    [new Date(NOW_MS - 30_000).toUTCString(), 1],
    ["Thu, 99 Foo 2026 25:61:61 GMT", undefined],
  ])("Retry-After %j is read as %s seconds", (header, seconds) => {
    expect(retryAfterSeconds(header, NOW_MS)).toBe(seconds);
  });

  test("property: any Retry-After is unreadable or a whole number from 1 to 3600", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer().map(String), fc.date().map(String)), (header) => {
        const seconds = retryAfterSeconds(header, NOW_MS) ?? 1;
        expect(Number.isInteger(seconds) && seconds >= 1 && seconds <= 3_600).toBe(true);
      }),
    );
  });
});

describe("a failure of Entra or an invalid response", () => {
  test.each([500, 502, 503, 504])("status %i with HTML means that Entra is unavailable", (status) => {
    expect(read(raw(status, "<html>oops</html>"))).toMatchObject({
      kind: "dependency_failed",
      dependency: "entra",
      problem: "unavailable",
    });
  });

  test("a 503 has a wait only if it has Retry-After", () => {
    expect(read(raw(503, "", { "retry-after": "5" }))).toHaveProperty("retryAfterSeconds", 5);
    expect(read(raw(503, ""))).not.toHaveProperty("retryAfterSeconds");
  });

  test.each(["temporarily_unavailable", "server_error"])(
    "error %s means that Entra is unavailable, even with status 400",
    (error) => {
      expect(read(raw(400, JSON.stringify({ error })))).toMatchObject({ problem: "unavailable" });
    },
  );

  test.each([
    ["a redirect", 302, ""],
    ["HTML", 400, "<html></html>"],
    ["an array", 400, "[]"],
    ["null", 400, "null"],
    ["an object without error", 400, "{}"],
    ["an error that is not a string", 400, '{"error":7}'],
  ])("%s is an invalid response", (_name, status, body) => {
    expect(read(raw(status, body))).toMatchObject({ kind: "dependency_failed", problem: "answer_invalid" });
  });

  test("property: every response is read as a failure", () => {
    const headers = fc.dictionary(fc.constantFrom("retry-after", "x-ms-request-id"), fc.string());
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), fc.oneof(fc.string(), fc.json()), headers, (status, body, h) => {
        expect(read(raw(status, body, h))).toHaveProperty("kind");
      }),
    );
  });
});
