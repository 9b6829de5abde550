/** Entra's error numbers: the class of each row of the table, and the response for it on OAuth routes and problem routes. */
import { describe, expect, test } from "vitest";
import type { EntraEvidence, Failure } from "../../../shared/core/failure.ts";
import { type CodeClass, classOfCodes } from "../../../shared/entra/aadsts.ts";
import { type FailedRequest, readRefusal } from "../../../shared/entra/read-answer.ts";
import { failureToWire } from "../../../shared/http/failure-to-wire.ts";
import type { Wire } from "../../../shared/http/wire.ts";
import { AADSTS_TABLE, type AadstsRow, CLASSES_OF_KIND, EXCEPTIONS } from "./support/aadsts-table.ts";
import { CORRELATION_ID, entraError, NOW_MS, TRACE_ID } from "./support/entra-answers.ts";
import { FLOWS, VERDICTS_BY_FLOW } from "./support/verdicts-by-flow.ts";

const SCOPES = ["https://graph.microsoft.com/User.Read"];
/** The classes are those of a refresh token, and only a presented assertion can be refused as such. */
const requestFor = ({ expected }: AadstsRow): FailedRequest =>
  expected === "assertion_refused"
    ? { scopes: SCOPES, grantKind: "assertion", presentedAs: "assertion" }
    : { scopes: SCOPES, grantKind: "refresh_token" };

type Line = Pick<Wire, "status" | "error" | "code" | "action">;

function line(status: number, error: string, code: string, action: Wire["action"]): Line {
  return { status, error, code, action };
}

/** First the response on OAuth routes, then on all other routes. */
const ON_THE_WIRE: Readonly<Record<CodeClass, readonly [oauth: Line, problem: Line]>> = {
  assertion_refused: [
    line(400, "invalid_grant", "subject_refused", "new_caller_token"),
    line(401, "invalid_token", "subject_refused", "new_caller_token"),
  ],
  interaction_required: [
    line(400, "interaction_required", "interaction_required", "sign_in"),
    line(403, "interaction_required", "interaction_required", "sign_in"),
  ],
  consent_required: [
    line(400, "invalid_grant", "consent_required", "ask_admin"),
    line(403, "invalid_grant", "consent_required", "ask_admin"),
  ],
  denied: [
    line(400, "invalid_grant", "access_denied", "ask_admin"),
    line(403, "invalid_grant", "access_denied", "ask_admin"),
  ],
  grant_dead: [
    line(400, "invalid_grant", "grant_dead", "sign_in"),
    line(403, "invalid_grant", "grant_dead", "sign_in"),
  ],
  credential_refused: [
    line(500, "server_error", "credential_refused", "ask_admin"),
    line(500, "server_error", "credential_refused", "ask_admin"),
  ],
  misconfigured: [
    line(500, "server_error", "registration_refused", "ask_admin"),
    line(500, "server_error", "registration_refused", "ask_admin"),
  ],
  throttled: [
    line(429, "temporarily_unavailable", "throttled", "retry"),
    line(429, "temporarily_unavailable", "throttled", "retry"),
  ],
  unavailable: [
    line(503, "temporarily_unavailable", "entra_unavailable", "retry"),
    line(503, "temporarily_unavailable", "entra_unavailable", "retry"),
  ],
};

function expectedFailure({ code, suberror, expected }: AadstsRow): Failure {
  const evidence: EntraEvidence = {
    codes: [code],
    suberror,
    claims: undefined,
    traceId: TRACE_ID,
    correlationId: CORRELATION_ID,
  };
  switch (expected) {
    case "throttled":
      return { kind: "throttled", retryAfterSeconds: 60, evidence };
    case "unavailable":
      return { kind: "dependency_failed", dependency: "entra", problem: "unavailable", evidence };
    default:
      return {
        kind: "entra_refused",
        verdict: expected,
        evidence,
        scopes: SCOPES,
        ...(expected === "assertion_refused" ? { presentedAs: "assertion" as const } : {}),
      };
  }
}

describe.each(AADSTS_TABLE)("AADSTS$code ($status $error, $suberror) is $expected", (row) => {
  test.each([false, true])(
    "is read as this failure, with line breaks in the error description: %s (E-55)",
    (lineBreaks) => {
      expect(readRefusal(entraError(row, lineBreaks), requestFor(row), NOW_MS)).toEqual(expectedFailure(row));
    },
  );

  test("has a class that its documented kind allows, or a documented exception", () => {
    expect(CLASSES_OF_KIND[row.kind].includes(row.expected)).toBe(!EXCEPTIONS.has(row.code));
  });

  test("has the documented status, error, code and action on OAuth routes and problem routes", () => {
    const failure = readRefusal(entraError(row), requestFor(row), NOW_MS);
    const [oauth, problem] = ON_THE_WIRE[row.expected];
    expect(failureToWire(failure, { dialect: "oauth", understandsChallenge: true })).toMatchObject(oauth);
    expect(failureToWire(failure, { dialect: "problem", understandsChallenge: true })).toMatchObject(problem);
  });
});

describe.each(VERDICTS_BY_FLOW)("AADSTS%i", (code, ...expected) => {
  const rows = AADSTS_TABLE.filter((row) => row.code === code);
  const flows = FLOWS.map((grantKind, index) => ({ grantKind, verdict: expected[index] }));

  test.each(flows)("means $verdict for a request with $grantKind", ({ grantKind, verdict }) => {
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      const failure = readRefusal(entraError(row), { scopes: SCOPES, grantKind }, NOW_MS);
      const { kind } = failure;
      expect(kind === "entra_refused" ? failure.verdict : kind).toBe(verdict);
    }
  });
});

test("the table of verdicts by flow has each number once", () => {
  const codes = VERDICTS_BY_FLOW.map(([code]) => code);
  expect(codes).toEqual([...new Set(AADSTS_TABLE.map(({ code }) => code))].sort((one, other) => one - other));
});

test("missing consent is resolved by signing in again only after a sign-in", () => {
  const answer = entraError({ code: 65001, error: "invalid_grant", suberror: "consent_required" });
  const actions = FLOWS.map(
    (grantKind) =>
      failureToWire(readRefusal(answer, { scopes: SCOPES, grantKind }, NOW_MS), {
        dialect: "oauth",
        understandsChallenge: true,
      }).action,
  );
  expect(actions).toEqual(["ask_admin", "ask_admin", "sign_in", "ask_admin"]);
});

test("a claims challenge to an application is denied, because no user can satisfy it", () => {
  const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
  const answer = entraError({ code: 53003, error: "invalid_grant", claims });
  const request = { scopes: SCOPES, grantKind: "application" } as const;
  expect(readRefusal(answer, request, NOW_MS)).toMatchObject({ verdict: "denied" });
});

test("the first listed number decides; unlisted numbers have no class", () => {
  expect(classOfCodes([1, 65001, 50013])).toBe("consent_required");
  expect(classOfCodes([1, 2])).toBeUndefined();
  expect(classOfCodes([])).toBeUndefined();
});

test("no number has two classes", () => {
  const codes = AADSTS_TABLE.map(({ code, expected }) => `${code} ${expected}`);
  const classes = new Map(AADSTS_TABLE.map(({ code, expected }) => [code, expected]));
  expect(new Set(codes).size).toBe(classes.size);
});
