/** Every reason to refuse a token as a response: its code, its status, and the action that ends the refusal. */
import { describe, expect, test } from "vitest";
import type { SubjectRefusal } from "../../../shared/core/failure.ts";
import { TOKEN_REFUSALS, type TokenRefusal } from "../../../shared/core/token-refusal.ts";
import { failureToWire } from "../../../shared/http/failure-to-wire.ts";
import type { Dialect, ServiceNames, Wire } from "../../../shared/http/wire.ts";
import { CALLER_REFUSALS, GENERIC, type Line, SUBJECT_REFUSALS } from "../../support/token-refusals.ts";

const NARROW = { name: "narrow", clientId: "c0470500-0000-4000-8000-000000000003", appIdUri: "api://narrow" };
const SERVICE: ServiceNames = {
  tenantId: "c0470500-0000-4000-8000-000000000001",
  registrations: [{ name: "default", clientId: "c0470500-0000-4000-8000-000000000002", appIdUri: "api://gte" }, NARROW],
};
const options = (dialect: Dialect) => ({ dialect, understandsChallenge: true, service: SERVICE });

/**
 * The only reasons that a token which the caller gets in the same way can end: an expired token, and a token that was
 * damaged on its way. The description of both names the administrator for the case that it does not.
 */
const ENDED_BY_A_NEW_TOKEN = Object.entries(CALLER_REFUSALS).flatMap(([reason, line]) =>
  reason === "expired" || line === GENERIC ? [reason] : [],
);

const caller = (reason: TokenRefusal, dialect: Dialect = "problem") =>
  failureToWire({ kind: "caller_refused", reason }, options(dialect));
const subject = (reason: SubjectRefusal, presentedAs: "subject_token" | "assertion") =>
  failureToWire({ kind: "subject_refused", reason, presentedAs }, options("oauth"));
const reasons = Object.keys(TOKEN_REFUSALS) as TokenRefusal[];
const rows = Object.entries(CALLER_REFUSALS) as [TokenRefusal, Line][];
const brief = ({ code, status, action, error }: Wire) => ({ code, status, action, error });

describe("the caller's token", () => {
  test.each(rows)("%s → %j", (reason, [code, problem, oauth, action]) => {
    expect(brief(caller(reason))).toEqual({
      code,
      status: problem,
      action,
      error: problem === 401 ? "invalid_token" : "insufficient_scope",
    });
    expect(brief(caller(reason, "oauth"))).toEqual({
      code,
      status: oauth,
      action,
      error: oauth === 401 ? "invalid_client" : "unauthorized_client",
    });
  });

  test("a missing token is ended by a token for the scope that the answer names", () => {
    const wire = failureToWire({ kind: "caller_missing" }, options("problem"));
    expect(wire).toMatchObject({ action: "new_caller_token", challenge: { scope: "api://gte/access_as_user" } });
    expect(wire.description).toContain("api://gte/access_as_user (a user) or api://gte/.default (an application)");
  });
});

describe("the token to exchange", () => {
  test.each([
    ...rows.map(([reason]) => reason),
    "not_a_user",
    "not_the_caller",
    "other_registration",
  ] as SubjectRefusal[])("%s", (reason) => {
    const [generic, , , genericAction] = CALLER_REFUSALS[reason as TokenRefusal] ?? [];
    const known = generic === "caller_refused" ? "subject_refused" : generic;
    const [code = known, action = genericAction] = SUBJECT_REFUSALS[reason] ?? [];
    expect(brief(subject(reason, "subject_token"))).toEqual({ code, status: 400, action, error: "invalid_request" });
    expect(brief(subject(reason, "assertion"))).toEqual({ code, status: 400, action, error: "invalid_grant" });
  });
});

describe("the scope that a refusal names", () => {
  test.each([
    [undefined, "api://gte/access_as_user"],
    [NARROW.clientId, "api://narrow/access_as_user"],
    ["c0470500-0000-4000-8000-00000000000f", "api://gte/access_as_user"],
  ])("of a genuine token for the registration %s is %s", (registration, scope) => {
    const named = registration === undefined ? {} : { registration };
    for (const dialect of ["oauth", "problem"] as const) {
      const wire = failureToWire({ kind: "caller_refused", reason: "expired", ...named }, options(dialect));
      expect(wire.challenge).toEqual({ error: "invalid_token", scope });
    }
  });

  test.each([
    ["user", "api://narrow/access_as_user"],
    ["application", "api://narrow/.default"],
  ] as const)("is that of the entry's registration if the token is for another one: %s → %s", (callerKind, scope) => {
    const refused = { reason: "token_for_other_registration", entry: "n", registration: "narrow", callerKind } as const;
    for (const [dialect, error] of [
      ["oauth", "invalid_client"],
      ["problem", "invalid_token"],
    ] as const) {
      const wire = failureToWire({ kind: "policy_refused", ...refused }, options(dialect));
      expect(brief(wire)).toEqual({
        code: "token_for_other_registration",
        status: 401,
        action: "new_caller_token",
        error,
      });
      expect(wire.challenge).toEqual({ error: "invalid_token", scope });
      expect(wire.description).toMatch(new RegExp(`Get a token for ${scope.replaceAll(".", "\\.")}\\.$`));
    }
  });
});

describe("what ends a refusal", () => {
  test("new_caller_token is answered for nothing but a damaged and an expired token", () => {
    const answered = reasons.filter((reason) => caller(reason).action === "new_caller_token");
    expect(answered.sort()).toEqual(ENDED_BY_A_NEW_TOKEN.sort());
    const ofSubjects = reasons.filter((reason) => subject(reason, "assertion").action === "new_caller_token");
    expect(ofSubjects.sort()).toEqual(ENDED_BY_A_NEW_TOKEN.sort());
  });

  test.each(ENDED_BY_A_NEW_TOKEN)("%s: the description says who ends it if a new token does not", (reason) => {
    expect(caller(reason as TokenRefusal).description).toMatch(/If a new (?:token|one) .* too, .*administrator\.$/);
  });

  test.each(reasons)("%s with the action ask_admin or fix_request names what to change", (reason) => {
    const { action, description } = caller(reason);
    if (action === "ask_admin") expect(description).toMatch(/[Aa]sk your administrator/);
    if (action === "fix_request") expect(description).toMatch(/(?:Send|Request|Authenticate) /);
  });
});

describe("a token that is not verifiably from Entra", () => {
  const unverified = rows.flatMap(([reason, line]) => (line === GENERIC ? [reason] : []));

  test.each(["oauth", "problem"] as const)("gives one and the same %s response for every reason", (dialect) => {
    expect(unverified).toHaveLength(9);
    expect(new Set(unverified.map((reason) => JSON.stringify(caller(reason, dialect)))).size).toBe(1);
    for (const presentedAs of ["subject_token", "assertion"] as const) {
      expect(new Set(unverified.map((reason) => JSON.stringify(subject(reason, presentedAs)))).size).toBe(1);
    }
  });
});

describe("the texts", () => {
  test("name the size that was sent and the size that is allowed", () => {
    const failure = { kind: "caller_refused", reason: "too_long", sentBytes: 20_123 } as const;
    expect(failureToWire(failure, options("problem")).description).toContain(
      "has 20123 bytes, and at most 16384 are allowed",
    );
  });

  test("name the service's scope, role and tenant, and work without the service's names", () => {
    expect(caller("scope_missing").description).toContain("Request the scope api://gte/access_as_user from Entra.");
    expect(caller("role_missing").description).toContain("the app role Exchange.Call");
    expect(caller("issuer").description).toContain(SERVICE.tenantId);
    const nameless = { dialect: "problem", understandsChallenge: false } as const;
    const wire = failureToWire({ kind: "caller_refused", reason: "scope_missing" }, nameless);
    expect(wire.description).toContain("Request the scope access_as_user of this service from Entra.");
    expect(wire.challenge).not.toHaveProperty("scope");
  });
});
