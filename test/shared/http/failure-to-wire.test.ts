/** Every failure as a response, in both dialects. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type {
  EntraEvidence,
  Failure,
  PolicyRefusal,
  RequestProblem,
  SignInRefusal,
} from "../../../shared/core/failure.ts";
import { failureToWire } from "../../../shared/http/failure-to-wire.ts";
import type { Wire, WireOptions } from "../../../shared/http/wire.ts";
import {
  CLAIMS,
  EVERY_FAILURE,
  EVIDENCE,
  FIXED_BY_CALLER,
  nameOf,
  POLICY_ERRORS,
  REQUEST_ERRORS,
  SIGN_IN_STATUS,
  TRACE_ID,
} from "./support/failures.ts";

const OAUTH: WireOptions = { dialect: "oauth", understandsChallenge: true };
const PROBLEM: WireOptions = { dialect: "problem", understandsChallenge: true };
const PLAIN: WireOptions = { dialect: "problem", understandsChallenge: false };

type Line = readonly [status: number, error: string, code: string, action: Wire["action"]];

function line({ status, error, code, action }: Wire): Line {
  return [status, error, code, action];
}

const TABLE: readonly (readonly [Failure, oauth: Line, problem?: Line])[] = [
  [{ kind: "not_found" }, [404, "invalid_request", "not_found", "fix_request"]],
  [{ kind: "method_not_allowed", allow: ["GET"] }, [405, "invalid_request", "method_not_allowed", "fix_request"]],
  [
    { kind: "media_type_unsupported", expected: "x/y" },
    [415, "invalid_request", "media_type_unsupported", "fix_request"],
  ],
  [{ kind: "request_too_large", limitBytes: 1 }, [413, "invalid_request", "request_too_large", "fix_request"]],
  [
    { kind: "grant_type_unsupported", requested: "password" },
    [400, "unsupported_grant_type", "unsupported_grant_type", "fix_request"],
  ],
  [{ kind: "token_type_unsupported" }, [400, "unsupported_token_type", "unsupported_token_type", "fix_request"]],
  [
    { kind: "caller_missing" },
    [401, "invalid_client", "caller_missing", "new_caller_token"],
    [401, "invalid_token", "caller_missing", "new_caller_token"],
  ],
  [
    { kind: "caller_refused", reason: "signature" },
    [401, "invalid_client", "caller_refused", "new_caller_token"],
    [401, "invalid_token", "caller_refused", "new_caller_token"],
  ],
  [
    { kind: "subject_refused", reason: "signature", presentedAs: "subject_token" },
    [400, "invalid_request", "subject_refused", "new_caller_token"],
    [401, "invalid_token", "subject_refused", "new_caller_token"],
  ],
  [
    { kind: "subject_refused", reason: "not_compact", presentedAs: "assertion" },
    [400, "invalid_grant", "subject_refused", "new_caller_token"],
    [401, "invalid_token", "subject_refused", "new_caller_token"],
  ],
  [
    { kind: "scope_surplus", entry: "e", api: "graph", surplus: ["x"] },
    [500, "server_error", "scope_surplus", "ask_admin"],
  ],
  [
    { kind: "grant_refused", reason: "expired" },
    [400, "invalid_grant", "grant_expired", "sign_in"],
    [403, "invalid_grant", "grant_expired", "sign_in"],
  ],
  [
    { kind: "grant_refused", reason: "unknown" },
    [400, "invalid_grant", "grant_invalid", "sign_in"],
    [403, "invalid_grant", "grant_invalid", "sign_in"],
  ],
  [{ kind: "throttled", retryAfterSeconds: 7 }, [429, "temporarily_unavailable", "throttled", "retry"]],
  [{ kind: "budget_used_up", retryAfterSeconds: 7 }, [429, "temporarily_unavailable", "budget_used_up", "retry"]],
  [unavailable("entra"), [503, "temporarily_unavailable", "entra_unavailable", "retry"]],
  [unavailable("key_set"), [503, "temporarily_unavailable", "key_set_unavailable", "retry"]],
  [
    { kind: "dependency_failed", dependency: "entra", problem: "timeout" },
    [504, "temporarily_unavailable", "entra_timeout", "retry"],
  ],
  [
    { kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" },
    [502, "server_error", "entra_answer_invalid", "retry"],
  ],
  [{ kind: "misconfigured", code: "credential_expired" }, [500, "server_error", "credential_expired", "ask_admin"]],
  [{ kind: "deadline_passed" }, [504, "temporarily_unavailable", "deadline_passed", "retry"]],
  [{ kind: "internal" }, [500, "server_error", "internal", "ask_admin"]],
];

describe("status, error, code and action", () => {
  test.each(TABLE.map((row) => [nameOf(row[0]), ...row] as const))("%s", (_name, failure, oauth, problem = oauth) => {
    expect(line(failureToWire(failure, OAUTH))).toEqual(oauth);
    expect(line(failureToWire(failure, PROBLEM))).toEqual(problem);
  });

  // test/shared/http/caller-refusal-to-wire.test.ts has the refusal that is a 401.
  const refusals = Object.entries(POLICY_ERRORS).filter(([reason]) => reason !== "token_for_other_registration");
  test.each(refusals as [PolicyRefusal, string][])("policy refuses with %s: %s", (reason, error) => {
    const failure: Failure = { kind: "policy_refused", reason, entry: "e" };
    const action = FIXED_BY_CALLER.includes(reason) ? "fix_request" : "ask_admin";
    expect(line(failureToWire(failure, OAUTH))).toEqual([400, error, reason, action]);
    expect(line(failureToWire(failure, PROBLEM))).toEqual([
      reason === "api_unknown" ? 404 : 403,
      error,
      reason,
      action,
    ]);
  });

  test.each(Object.entries(REQUEST_ERRORS) as [RequestProblem, string][])("a request with %s: %s", (problem, error) => {
    const failure: Failure = { kind: "request_invalid", problem, parameter: "scope" };
    for (const call of [OAUTH, PROBLEM]) {
      expect(line(failureToWire(failure, call))).toEqual([400, error, problem, "fix_request"]);
    }
  });
});

describe("a refusal of policy names what was sent and what is allowed", () => {
  const refused = (refusal: Omit<Extract<Failure, { kind: "policy_refused" }>, "kind">, call = OAUTH) =>
    failureToWire({ kind: "policy_refused", ...refusal }, call).description;

  test.each<[Parameters<typeof refused>[0], string]>([
    [
      { reason: "scope_not_allowed", api: "graph", requested: ["user.raed", "X"], listed: ["User.Read", "Mail.Read"] },
      "API: graph. Refused: user.raed, X. Did you mean User.Read? Allowed: User.Read, Mail.Read.",
    ],
    [{ reason: "scope_not_allowed", requested: ["Offline_Access"], listed: [] }, "Did you mean offline_access?"],
    [
      { reason: "api_unknown", requested: ["graphs"], listed: ["graph"] },
      "Unknown: graphs. Did you mean graph? Known: graph.",
    ],
    [{ reason: "api_not_named", listed: ["graph", "orders"] }, "Allowed: graph, orders."],
    [
      { reason: "flow_not_allowed", requested: ["client-credentials"], listed: ["on-behalf-of"] },
      "Allowed: on-behalf-of.",
    ],
    [{ reason: "role_required", listed: ["Policy.Explain"] }, "Required app role: Policy.Explain."],
    [
      { reason: "caller_not_listed", requested: ["user x"], listed: ["Writer"] },
      "Caller: user x. Required app role: Writer.",
    ],
  ])("%j", (refusal, text) => {
    for (const call of [OAUTH, PROBLEM]) {
      expect(refused(refusal, call)).toContain(text);
    }
    expect(refused(refusal, { dialect: "page", understandsChallenge: false })).not.toMatch(/:|\?/);
  });

  test("property: whatever was sent, the message has the characters of RFC 6749, ends with a sentence and is bounded", () => {
    const texts = fc.array(fc.string({ unit: "binary", maxLength: 200 }), { maxLength: 40 });
    const reasons = fc.constantFrom(...(Object.keys(POLICY_ERRORS) as PolicyRefusal[]));
    fc.assert(
      fc.property(reasons, texts, texts, (reason, requested, listed) => {
        const text = refused({ reason, requested, listed });
        expect(text).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+\.$/);
        expect(text.length).toBeLessThan(7_000);
      }),
    );
  });
});

describe("an unknown parameter", () => {
  const supported = ["scopes", "grant"];

  test.each([
    ["scope", { meant: "scopes", supported }, "Did you mean scopes? Supported: scopes, grant."],
    ["colour", { supported }, "Leave it out. Supported: scopes, grant."],
  ])("%s: the message names those that the route has", (parameter, hint, remedy) => {
    const failure = { kind: "request_invalid", problem: "parameter_not_supported", parameter, hint } as const;
    expect(failureToWire(failure, PROBLEM).description).toBe(
      `The parameter ${parameter} is not supported here. ${remedy}`,
    );
  });
});

test("a value that a parameter cannot have: the message lists those that it can have", () => {
  const hint = { supported: ["urn:a", "urn:b"] };
  const failure = { kind: "request_invalid", problem: "parameter_invalid", parameter: "x", hint } as const;
  expect(failureToWire(failure, PROBLEM).description).toBe(
    "The parameter x has an invalid value. Supported: urn:a, urn:b.",
  );
});

describe("missing consent", () => {
  const consent = (more: object): Failure => ({
    kind: "entra_refused",
    verdict: "consent_required",
    evidence: { ...EVIDENCE, codes: [65001] },
    scopes: ["https://graph.microsoft.com/Mail.Read", "https://graph.microsoft.com/User.Read"],
    ...more,
  });
  const ADMIN = "dministrator grants admin consent to this service's registration in Entra";

  test.each<[string, object, Wire["action"], string]>([
    ["on-behalf-of", { flow: "on-behalf-of" }, "ask_admin", `. An a${ADMIN}. Then repeat the request`],
    ["a user's own grant", { flow: "refresh-token" }, "ask_admin", `. An a${ADMIN}. Then repeat the request`],
    ["an application's grant", { flow: "refresh-token", signIn: { url: undefined } }, "sign_in", ". The user signs in"],
    ["an authorization code", { flow: "authorization-code" }, "sign_in", ". The user signs in again and consents"],
    ["client credentials", { flow: "client-credentials" }, "ask_admin", `. An a${ADMIN}.`],
  ])("%s: the message names scopes, API and next step", (_name, more, action, text) => {
    for (const call of [OAUTH, PROBLEM]) {
      const wire = failureToWire(consent(more), call);
      expect([wire.code, wire.action]).toEqual(["consent_required", action]);
      expect(wire.description).toContain(
        `Consent is missing for Mail.Read, User.Read of https://graph.microsoft.com${text}`,
      );
      expect(wire.description).toContain(ADMIN);
      expect(wire.description).toMatch(/ \(AADSTS65001, trace [0-9a-f-]{36}\)\.$/);
    }
  });

  test("scopes without a resource and no scopes at all are described too", () => {
    expect(failureToWire(consent({ scopes: ["User.Read"] }), OAUTH).description).toContain("for User.Read. An");
    expect(failureToWire(consent({ scopes: [] }), OAUTH).description).toContain("for the requested scopes. An");
  });
});

test.each(["password", "other"] as const)(
  "grant_type %s: the message names every supported grant type",
  (requested) => {
    const { description } = failureToWire({ kind: "grant_type_unsupported", requested }, OAUTH);
    for (const name of ["token-exchange", "jwt-bearer", "refresh_token", "authorization_code", "client_credentials"]) {
      expect(description).toContain(name);
    }
  },
);

describe("a refused sign-in", () => {
  test.each(Object.entries(SIGN_IN_STATUS) as [SignInRefusal, number][])(
    "%s answers a page with status %i",
    (reason, status) => {
      const failure: Failure = { kind: "sign_in_refused", reason };
      const page = failureToWire(failure, { dialect: "page", understandsChallenge: false });
      expect([page.status, page.error]).toEqual([status, "access_denied"]);
      // The token endpoint refuses the code of such a sign-in.
      expect(failureToWire(failure, OAUTH)).toMatchObject({ status: 400, error: "invalid_grant", code: page.code });
    },
  );

  test("every reason has a different code", () => {
    const codes = Object.keys(SIGN_IN_STATUS).map(
      (reason) => failureToWire({ kind: "sign_in_refused", reason: reason as SignInRefusal }, OAUTH).code,
    );
    expect(new Set(codes).size).toBe(codes.length);
  });

  test("every reason to refuse an authorization code gives the same response (RFC 6749 section 4.1.3)", () => {
    const responses = (["malformed", "expired", "wrong_client", "wrong_redirect_uri", "wrong_verifier"] as const).map(
      (reason) => JSON.stringify(failureToWire({ kind: "code_refused", reason }, OAUTH)),
    );
    expect(new Set(responses).size).toBe(1);
    expect(JSON.parse(responses[0] ?? "")).toMatchObject({ status: 400, error: "invalid_grant", action: "sign_in" });
  });
});

describe("an application's grant that has ended", () => {
  const ended = (verdict: "grant_dead" | "consent_required", url: string | undefined): Failure => ({
    kind: "entra_refused",
    verdict,
    evidence: EVIDENCE,
    scopes: [],
    signIn: { url },
  });

  test("the response contains the sign-in link if there is one", () => {
    expect(failureToWire(ended("grant_dead", "https://gte.example/signin/x"), OAUTH).signInUrl).toMatch("/signin/x");
    expect(failureToWire(ended("grant_dead", undefined), OAUTH)).not.toHaveProperty("signInUrl");
  });

  test("missing consent: the grant's user can sign in and consent", () => {
    expect(failureToWire(ended("consent_required", undefined), OAUTH).action).toBe("sign_in");
  });
});

describe("Entra requires interaction", () => {
  const interactionRequired = (claims: string | undefined): Failure => ({
    kind: "entra_refused",
    verdict: "interaction_required",
    evidence: { ...EVIDENCE, claims },
    scopes: ["User.Read"],
  });

  test.each<[string, string | undefined, WireOptions, number, string, boolean]>([
    ["OAuth route with claims", CLAIMS, OAUTH, 400, "interaction_required", false],
    ["OAuth route without claims", undefined, OAUTH, 400, "interaction_required", false],
    ["other route with claims, caller with cp1", CLAIMS, PROBLEM, 401, "insufficient_claims", true],
    ["other route with claims, caller without cp1", CLAIMS, PLAIN, 403, "interaction_required", false],
    ["other route without claims", undefined, PROBLEM, 403, "interaction_required", false],
  ])("%s", (_name, claims, call, status, error, challenged) => {
    const wire = failureToWire(interactionRequired(claims), call);
    expect([wire.status, wire.error, wire.claims, wire.code, wire.action]).toEqual([
      status,
      error,
      claims,
      "interaction_required",
      "sign_in",
    ]);
    expect(wire.challenge).toEqual(challenged ? { error: "insufficient_claims", claims: CLAIMS } : undefined);
  });

  test("an application's grant: no challenge, even if the application has cp1", () => {
    const failure = { ...interactionRequired(CLAIMS), signIn: { url: "https://gte.example/signin/x" } } as Failure;
    const wire = failureToWire(failure, PROBLEM);
    expect(wire).toMatchObject({ status: 403, error: "interaction_required", claims: CLAIMS });
    expect(wire).toMatchObject({ signInUrl: "https://gte.example/signin/x" });
    expect(wire.challenge).toBeUndefined();
  });

  test("missing consent: the response lists the scopes", () => {
    const failure: Failure = {
      kind: "entra_refused",
      verdict: "consent_required",
      evidence: { ...EVIDENCE, suberror: undefined },
      scopes: ["User.Read"],
    };
    expect(failureToWire(failure, OAUTH)).toMatchObject({ suberror: "consent_required", scopes: ["User.Read"] });
  });
});

describe("a refused assertion", () => {
  test.each([
    ["subject_token", "invalid_request"],
    ["assertion", "invalid_grant"],
  ] as const)("RF-25, RF-52: presented as %s is %s", (presentedAs, error) => {
    const failure: Failure = {
      kind: "entra_refused",
      verdict: "assertion_refused",
      evidence: EVIDENCE,
      scopes: [],
      presentedAs,
    };
    expect(failureToWire(failure, OAUTH)).toMatchObject({ status: 400, error });
    expect(failureToWire(failure, PROBLEM)).toMatchObject({ status: 401, challenge: { error: "invalid_token" } });
  });
});

describe("details of a failure", () => {
  test.each<[string, Partial<EntraEvidence>, string]>([
    ["number and trace id", {}, ` (AADSTS50076, trace ${TRACE_ID}).`],
    ["the number only", { traceId: undefined }, " (AADSTS50076)."],
    ["the trace id only", { codes: [] }, ` (trace ${TRACE_ID}).`],
    ["the first of several numbers", { codes: [65001, 70000], traceId: undefined }, " (AADSTS65001)."],
  ])("the message about an answer of Entra ends with %s", (_name, changes, end) => {
    const evidence = { ...EVIDENCE, ...changes };
    const failures: readonly Failure[] = [
      { kind: "entra_refused", verdict: "denied", evidence, scopes: [] },
      { kind: "throttled", retryAfterSeconds: 1, evidence },
      { ...unavailable("entra"), evidence },
      { kind: "misconfigured", code: "c", evidence },
    ];
    for (const call of [OAUTH, PROBLEM, PLAIN]) {
      expect(failures.map((failure) => failureToWire(failure, call).description.endsWith(end))).toEqual(
        failures.map(() => true),
      );
    }
  });

  test("the response contains Entra's identifiers if there are any", () => {
    const failed: Failure = { kind: "misconfigured", code: "c", evidence: EVIDENCE };
    expect(failureToWire(failed, OAUTH)).toMatchObject({
      errorCodes: [50076],
      traceId: TRACE_ID,
      suberror: "basic_action",
    });
    const evidence = { ...EVIDENCE, codes: [], traceId: undefined, suberror: undefined };
    const bare = failureToWire({ ...failed, evidence }, OAUTH);
    expect(Object.keys(bare).sort()).toEqual(["action", "code", "description", "error", "status"]);
  });

  test("the response contains the seconds to wait if they are known", () => {
    expect(failureToWire({ kind: "throttled", retryAfterSeconds: 9 }, OAUTH).retryAfterSeconds).toBe(9);
    expect(failureToWire({ ...unavailable("entra"), retryAfterSeconds: 8 }, OAUTH).retryAfterSeconds).toBe(8);
    expect(failureToWire({ kind: "internal" }, OAUTH).retryAfterSeconds).toBeUndefined();
  });

  test("the message for a password names the alternatives", () => {
    const { description } = failureToWire({ kind: "grant_type_unsupported", requested: "password" }, OAUTH);
    expect(description).toMatch(/^Passwords are never accepted\. Use token-exchange or jwt-bearer/);
    expect(failureToWire({ kind: "grant_type_unsupported", requested: "other" }, OAUTH).description).not.toMatch(
      "Password",
    );
  });

  test("an unknown grant and another caller's grant give the same response", () => {
    const responses = (["unknown", "not_bound", "unreadable"] as const).map((reason) =>
      JSON.stringify(failureToWire({ kind: "grant_refused", reason }, OAUTH)),
    );
    expect(new Set(responses).size).toBe(1);
  });
});

describe.each(EVERY_FAILURE.map((failure) => [nameOf(failure), failure] as const))("%s", (_name, failure) => {
  const wires = [OAUTH, PROBLEM, PLAIN].map((call) => failureToWire(failure, call));

  test("RF-35: error and description use the characters of RFC 6749, and the code is one word", () => {
    for (const { error, description, code } of wires) {
      expect(`${error}${description}`).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
      expect(code).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(description).toMatch(/\.$/);
    }
  });

  test("RF-41, RF-42, RF-74: 401 and insufficient_scope have a challenge, and no other response has one", () => {
    for (const { status, error, challenge, basicChallenge } of wires) {
      const challenged = challenge !== undefined || basicChallenge !== undefined;
      expect(challenged).toBe(status === 401 || error === "insufficient_scope");
      expect(error === "insufficient_scope").toBe(challenge?.error === "insufficient_scope");
    }
  });

  test("a failure of the service or a dependency never asks the caller to change the request", () => {
    // The API answered, and the service does not pass on what the caller asked for.
    const asksForOther = ["downstream_answer_too_large", "downstream_redirect"];
    const failures = wires.filter(
      ({ status, code }) => (status >= 500 || status === 429) && !asksForOther.includes(code),
    );
    for (const { action } of failures) {
      expect(["retry", "ask_admin"]).toContain(action);
    }
  });
});

describe("RFC 9457 section 3.1.4: the response contains no internal facts", () => {
  const visible = ({ status, error, description, code, action }: Wire) => ({
    status,
    error,
    description: description.replace(/ \((AADSTS\d+, )?trace [^"\\]*\)\.$| \(AADSTS\d+\)\.$/s, "."),
    code,
    action,
  });

  test("property: except for AADSTS number and trace id, no visible member depends on evidence or internal facts", () => {
    fc.assert(
      fc.property(fc.constantFrom(...EVERY_FAILURE), INTERNAL_FACTS, (failure, internal) => {
        for (const call of [OAUTH, PROBLEM, PLAIN]) {
          expect(visible(failureToWire(withInternalFacts(failure, internal), call))).toEqual(
            visible(failureToWire(failure, call)),
          );
        }
      }),
    );
  });
});

const TEXT = fc.string({ unit: "binary", minLength: 1 });

/**
 * The facts of a failure that must not change the response: Entra's texts and numbers, the policy entry, the surplus.
 */
interface InternalFacts {
  readonly evidence: EntraEvidence;
  readonly entry: string;
  readonly surplus: readonly string[];
}

const INTERNAL_FACTS: fc.Arbitrary<InternalFacts> = fc.record({
  evidence: fc.record({
    codes: fc.array(fc.nat(9_999_999), { maxLength: 3 }),
    suberror: fc.option(TEXT, { nil: undefined }),
    traceId: fc.option(TEXT, { nil: undefined }),
    correlationId: fc.option(TEXT, { nil: undefined }),
    claims: TEXT,
  }),
  entry: TEXT,
  surplus: fc.array(TEXT, { minLength: 1, maxLength: 3 }),
});

function withInternalFacts(failure: Failure, { evidence, ...own }: InternalFacts): Failure {
  const changed = Object.fromEntries(Object.entries(own).filter(([name]) => Object.hasOwn(failure, name)));
  if (!("evidence" in failure) || failure.evidence === undefined) return { ...failure, ...changed } as Failure;
  // The presence of claims changes the response, but their content does not.
  const claims = failure.evidence.claims === undefined ? undefined : evidence.claims;
  return { ...failure, ...changed, evidence: { ...evidence, claims } } as Failure;
}

function unavailable(dependency: "entra" | "key_set"): Extract<Failure, { kind: "dependency_failed" }> {
  return { kind: "dependency_failed", dependency, problem: "unavailable" };
}
