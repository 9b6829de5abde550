/** Entra's error numbers: every row of the table lands in its class, and that class on the wire in both dialects. */
import { describe, expect, test } from "vitest";
import type { EntraEvidence, Failure } from "../../../shared/core/failure.ts";
import { type CodeClass, classOfCodes } from "../../../shared/entra/aadsts.ts";
import { type FailedRequest, readRefusal } from "../../../shared/entra/read-answer.ts";
import { failureToWire } from "../../../shared/http/failure-to-wire.ts";
import type { Wire } from "../../../shared/http/wire.ts";
import { AADSTS_TABLE, type AadstsRow, CLASSES_OF_LETTER, OUT_OF_LETTER } from "./support/aadsts-table.ts";
import { CORRELATION_ID, entraError, NOW_MS, TRACE_ID } from "./support/entra-answers.ts";

const SCOPES = ["https://graph.microsoft.com/User.Read"];
const REQUEST: FailedRequest = { scopes: SCOPES, grantKind: "assertion", presentedAs: "assertion" };

type Line = Pick<Wire, "status" | "error" | "code" | "action">;

function line(status: number, error: string, code: string, action: Wire["action"]): Line {
  return { status, error, code, action };
}

/** OAuth routes on the left, the others on the right. */
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

function expectedFailure({ code, suberror, lands }: AadstsRow): Failure {
  const evidence: EntraEvidence = {
    codes: [code],
    suberror,
    claims: undefined,
    traceId: TRACE_ID,
    correlationId: CORRELATION_ID,
  };
  switch (lands) {
    case "throttled":
      return { kind: "throttled", retryAfterSeconds: 60, evidence };
    case "unavailable":
      return { kind: "dependency_failed", dependency: "entra", problem: "unavailable", evidence };
    default:
      return { kind: "entra_refused", verdict: lands, evidence, scopes: SCOPES, presentedAs: "assertion" };
  }
}

describe.each(AADSTS_TABLE)("1.6: AADSTS$code ($status $error, $suberror) is $lands", (row) => {
  test.each([false, true])("as a failure, with line breaks in Entra's text: %s (E-55)", (lineBreaks) => {
    expect(readRefusal(entraError(row, lineBreaks), REQUEST, NOW_MS)).toEqual(expectedFailure(row));
  });

  test("its class is one that its letter allows, unless an exception says why not", () => {
    expect(CLASSES_OF_LETTER[row.letter].includes(row.lands)).toBe(!OUT_OF_LETTER.has(row.code));
  });

  test("on the wire: status, error, code and action in both dialects", () => {
    const failure = readRefusal(entraError(row), REQUEST, NOW_MS);
    const [oauth, problem] = ON_THE_WIRE[row.lands];
    expect(failureToWire(failure, { dialect: "oauth", understandsChallenge: true })).toMatchObject(oauth);
    expect(failureToWire(failure, { dialect: "problem", understandsChallenge: true })).toMatchObject(problem);
  });
});

/** Where a class has nobody to act on it in another flow: the only assertion there is ours, and no person stands behind an application. */
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

describe.each(Object.entries(ELSEWHERE))("asked with %s", (grantKind, changes) => {
  const request = { scopes: SCOPES, grantKind: grantKind as FailedRequest["grantKind"] };
  test.each(AADSTS_TABLE)("AADSTS$code ($status $error, $suberror), $lands with an assertion", (row) => {
    const { presentedAs: _its, ...expected } = {
      presentedAs: undefined,
      ...expectedFailure({ ...row, lands: changes[row.lands] ?? row.lands }),
    };
    expect(readRefusal(entraError(row), request, NOW_MS)).toEqual(expected);
  });
});

test("claims are no use to an application: there is nobody who could meet them", () => {
  const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
  const answer = entraError({ code: 53003, error: "invalid_grant", claims });
  const request = { scopes: SCOPES, grantKind: "application" } as const;
  expect(readRefusal(answer, request, NOW_MS)).toMatchObject({ verdict: "denied" });
});

test("the first number that is known decides; unknown ones and none decide nothing", () => {
  expect(classOfCodes([1, 65001, 50013])).toBe("consent_required");
  expect(classOfCodes([1, 2])).toBeUndefined();
  expect(classOfCodes([])).toBeUndefined();
});

test("no number stands in two classes", () => {
  const codes = AADSTS_TABLE.map(({ code, lands }) => `${code} ${lands}`);
  const landings = new Map(AADSTS_TABLE.map(({ code, lands }) => [code, lands]));
  expect(new Set(codes).size).toBe(landings.size);
});
