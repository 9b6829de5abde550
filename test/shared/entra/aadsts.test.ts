/** Entra's error numbers: the class of each row of the table, and the response for it on OAuth routes and problem routes. */
import { describe, expect, test } from "vitest";
import type { EntraEvidence, Failure } from "../../../shared/core/failure.ts";
import { type CodeClass, classOfCodes } from "../../../shared/entra/aadsts.ts";
import { type FailedRequest, readRefusal } from "../../../shared/entra/read-answer.ts";
import { failureToWire } from "../../../shared/http/failure-to-wire.ts";
import type { Wire } from "../../../shared/http/wire.ts";
import { AADSTS_TABLE, type AadstsRow, CLASSES_OF_KIND, EXCEPTIONS } from "./support/aadsts-table.ts";
import { CORRELATION_ID, entraError, NOW_MS, TRACE_ID } from "./support/entra-answers.ts";

const SCOPES = ["https://graph.microsoft.com/User.Read"];
const REQUEST: FailedRequest = { scopes: SCOPES, grantKind: "assertion", presentedAs: "assertion" };

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
      return { kind: "entra_refused", verdict: expected, evidence, scopes: SCOPES, presentedAs: "assertion" };
  }
}

describe.each(AADSTS_TABLE)("AADSTS$code ($status $error, $suberror) is $expected", (row) => {
  test.each([false, true])(
    "is read as this failure, with line breaks in the error description: %s (E-55)",
    (lineBreaks) => {
      expect(readRefusal(entraError(row, lineBreaks), REQUEST, NOW_MS)).toEqual(expectedFailure(row));
    },
  );

  test("has a class that its documented kind allows, or a documented exception", () => {
    expect(CLASSES_OF_KIND[row.kind].includes(row.expected)).toBe(!EXCEPTIONS.has(row.code));
  });

  test("has the documented status, error, code and action on OAuth routes and problem routes", () => {
    const failure = readRefusal(entraError(row), REQUEST, NOW_MS);
    const [oauth, problem] = ON_THE_WIRE[row.expected];
    expect(failureToWire(failure, { dialect: "oauth", understandsChallenge: true })).toMatchObject(oauth);
    expect(failureToWire(failure, { dialect: "problem", understandsChallenge: true })).toMatchObject(problem);
  });
});

/** Classes that differ in other flows: their only assertion is the client authentication of the service, and no user can act for an application. */
const ELSEWHERE: Readonly<
  Record<Exclude<FailedRequest["grantKind"], "assertion">, Partial<Record<CodeClass, CodeClass>>>
> = {
  refresh_token: { assertion_refused: "credential_refused" },
  code: { assertion_refused: "credential_refused" },
  application: {
    assertion_refused: "credential_refused",
    interaction_required: "denied",
    grant_dead: "denied",
  },
};

describe.each(Object.entries(ELSEWHERE))("a request with %s", (grantKind, changes) => {
  const request = { scopes: SCOPES, grantKind: grantKind as FailedRequest["grantKind"] };
  test.each(AADSTS_TABLE)(
    "adapts the class of AADSTS$code ($status $error, $suberror) to the flow; with an assertion it is $expected",
    (row) => {
      const { presentedAs: _ofAssertion, ...expected } = {
        presentedAs: undefined,
        ...expectedFailure({ ...row, expected: changes[row.expected] ?? row.expected }),
      };
      expect(readRefusal(entraError(row), request, NOW_MS)).toEqual(expected);
    },
  );
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
