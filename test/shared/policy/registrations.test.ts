/** Several registrations in one policy: what is reported, which entry matches, and what the refusal says. */
import { describe, expect, test } from "vitest";
import { describePolicy } from "../../../shared/policy/describe-policy.ts";
import { evaluate } from "../../../shared/policy/evaluate.ts";
import { entryFor, noEntry, type PolicyCaller, registrationRefusal } from "../../../shared/policy/find-entry.ts";
import { parsePolicy } from "../../../shared/policy/parse-policy.ts";
import { policyFindings } from "../../../shared/policy/policy-findings.ts";
import { isOfRegistration, registrationNameOf } from "../../../shared/policy/registrations.ts";
import type { Policy } from "../../../shared/policy/rules.ts";
import { APP_ID, applicationCaller, GRAPH, parsed, REGISTRATION_ID, userCaller, WEB_ID } from "./support/policies.ts";

const NARROW_ID = "5e471ce0-0000-4000-8000-00000000000c";
const OTHER_ID = "5e471ce0-0000-4000-8000-00000000000d";

// biome-ignore lint/suspicious/noExplicitAny: an invalid policy on purpose
type Raw = any;

/** The same people in two registrations, and an application that exchanges their tokens in each. */
function raw(change: (policy: Raw) => void = () => undefined): string {
  const people = { kind: "user", clientId: WEB_ID, flows: ["on-behalf-of"] };
  const backend = { kind: "application", clientId: APP_ID, flows: ["on-behalf-of"], subjectClients: [WEB_ID] };
  const policy = {
    apis: { graph: { resource: GRAPH, scopes: ["User.Read", "Mail.Read"] } },
    registrations: { narrow: { clientId: NARROW_ID } },
    callers: [
      { ...people, name: "wide-people", apis: { graph: ["User.Read", "Mail.Read"] } },
      { ...people, name: "narrow-people", registration: "narrow", apis: { graph: ["User.Read"] } },
      { ...backend, name: "wide-backend", apis: { graph: ["User.Read", "Mail.Read"] } },
      { ...backend, name: "narrow-backend", registration: "narrow", apis: { graph: ["User.Read"] } },
    ],
  };
  change(policy);
  return JSON.stringify(policy);
}

function problems(change: (policy: Raw) => void): string[] {
  const result = parsePolicy(raw(change));
  return "problems" in result ? result.problems.map(({ path, problem }) => `${path} ${problem}`) : [];
}

const policy = parsed(raw());
const inNarrow = { registration: NARROW_ID };

describe("problems of registrations", () => {
  test("two entries of one kind and client in different registrations do not overlap", () => {
    expect(problems(() => undefined)).toEqual([]);
  });

  test.each<[string, (policy: Raw) => void, string[]]>([
    [
      "two entries of one kind and client in one registration",
      (p) => (p.callers[0].registration = "narrow"),
      [
        "callers.1 has the same kind and clientId as callers.0; each caller must match one entry only",
        "callers.2.subjectClients.0 is a client whose entry of kind user names another registration; both entries must name the same one",
      ],
    ],
    [
      "an unknown registration, with the name that is meant",
      (p) => (p.callers[1].registration = "narow"),
      [
        "callers.1.registration is not defined in registrations; did you mean narrow?",
        "callers.3.subjectClients.0 is a client whose entry of kind user names another registration; both entries must name the same one",
      ],
    ],
    [
      "a name of Object's prototype",
      (p) => (p.callers[0].registration = "constructor"),
      [
        "callers.0.registration is not defined in registrations",
        "callers.2.subjectClients.0 is a client whose entry of kind user names another registration; both entries must name the same one",
      ],
    ],
    [
      "the default registration by name",
      (p) => (p.callers[0].registration = "default"),
      [
        "callers.0.registration must be left out for the registration of CLIENT_ID",
        "callers.2.subjectClients.0 is a client whose entry of kind user names another registration; both entries must name the same one",
      ],
    ],
    [
      "a registration that no entry names",
      (p) => (p.registrations.spare = { clientId: OTHER_ID }),
      ["registrations.spare is named by no entry; name it or remove it"],
    ],
    [
      "a reserved name",
      (p) => {
        p.registrations.default = { clientId: OTHER_ID };
        p.registrations["app-only"] = { clientId: "5e471ce0-0000-4000-8000-00000000000e" };
      },
      [
        "registrations.default has the name of the registration of CLIENT_ID; choose another",
        "registrations.app-only has the name of the registration of APP_ONLY_CLIENT_ID; choose another",
      ],
    ],
    [
      "one client id twice, in another case",
      (p) => {
        p.registrations.second = { clientId: NARROW_ID.toUpperCase() };
        p.callers[0].registration = "second";
        p.callers[2].registration = "second";
      },
      [
        "registrations.second.clientId repeats the clientId of registrations.narrow; each registration must have a different one",
      ],
    ],
    [
      "one App ID URI twice, once as the default of the other",
      (p) => {
        p.registrations.second = { clientId: OTHER_ID, appIdUri: `api://${NARROW_ID.toUpperCase()}` };
        p.callers[0].registration = "second";
        p.callers[2].registration = "second";
      },
      [
        "registrations.second.appIdUri repeats the appIdUri of registrations.narrow; each registration must have a different one",
      ],
    ],
    [
      "an App ID URI with the client id of another registration",
      (p) => {
        p.registrations.narrow.appIdUri = "api://contoso/narrow";
        p.registrations.second = { clientId: OTHER_ID, appIdUri: `api://${NARROW_ID}` };
        p.callers[0].registration = "second";
        p.callers[2].registration = "second";
      },
      [
        "registrations.second.appIdUri names registrations.narrow by its clientId; each registration must have a different one",
      ],
    ],
    [
      "a caller that is a registration of the service",
      (p) => (p.callers[3].clientId = NARROW_ID),
      ["callers.3.clientId is the clientId of registrations.narrow; a registration of this service cannot be a caller"],
    ],
    [
      "one client that proves itself in two registrations: its secret names neither",
      (p) => {
        p.callers[2].clientAuthentication = ["entra_secret", "entra_assertion"];
        p.callers[3].clientAuthentication = ["entra_secret"];
      },
      [
        "callers.3.clientAuthentication lists entra_secret as callers.2 does, for the same clientId and another registration; a client's own credential names no registration, so only one entry of a client may list it",
      ],
    ],
    [
      "one client that proves itself with a secret in one registration and with an assertion in the other",
      (p) => {
        p.callers[2].clientAuthentication = ["entra_assertion"];
        p.callers[3].clientAuthentication = ["entra_secret"];
      },
      [],
    ],
    [
      "more than sixteen registrations",
      (p) => {
        for (let number = 10; number < 26; number += 1) {
          p.registrations[`r${number}`] = { clientId: `5e471ce0-0000-4000-8000-0000000000${number}` };
          p.callers.push({ ...p.callers[0], name: `c${number}`, registration: `r${number}` });
        }
      },
      ["registrations must have at most 16 members"],
    ],
  ])("%s", (_name, change, expected) => {
    expect(problems(change)).toEqual(expected);
  });
});

describe("the entry of a caller", () => {
  const entries: readonly [PolicyCaller, string][] = [
    [userCaller(), "wide-people"],
    [userCaller(inNarrow), "narrow-people"],
    [applicationCaller(), "wide-backend"],
    [applicationCaller(inNarrow), "narrow-backend"],
  ];
  test.each(entries)("is the one with the registration of its token", (caller, name) => {
    expect(entryFor(policy, caller)?.name).toBe(name);
    expect(registrationRefusal(policy, caller)).toBeUndefined();
  });

  test("with another registration is refused by name, and a caller without an entry is not listed", () => {
    const narrowOnly = parsed(raw((p) => p.callers.splice(2, 1)));
    expect(noEntry(narrowOnly, applicationCaller())).toEqual({
      reason: "token_for_other_registration",
      entry: "narrow-backend",
      registration: "narrow",
      callerKind: "application",
    });
    const stranger = userCaller({ clientId: OTHER_ID, ...inNarrow });
    expect(noEntry(narrowOnly, stranger)).toEqual({ reason: "caller_not_listed", requested: [`user ${OTHER_ID}`] });
    expect(registrationRefusal(narrowOnly, stranger)).toBeUndefined();
  });

  test("an app role of another registration does not select an entry, and is not named", () => {
    const byRole = parsed(raw((p) => (p.callers[0].role = "Reader")));
    const caller = userCaller({ ...inNarrow, roles: ["Reader"] });
    expect(entryFor(byRole, caller)?.name).toBe("narrow-people");
    const withoutNarrow = parsed(
      raw((p) => {
        p.callers = [{ ...p.callers[0], role: "Reader" }];
        p.registrations = {};
      }),
    );
    expect(noEntry(withoutNarrow, userCaller())).toMatchObject({ reason: "caller_not_listed", listed: ["Reader"] });
  });

  test("a subject's token for another registration than the caller's is not entitled", () => {
    const tokenParameters = {
      audiences: ["graph"],
      resources: [],
      scopes: undefined,
      offlineAccess: false,
      claims: undefined,
      forceRefresh: false,
      minimumSeconds: 0,
    };
    const ask = (subject: PolicyCaller) =>
      evaluate(policy, { caller: applicationCaller(inNarrow), flow: "on-behalf-of", tokenParameters, subject });
    expect(ask(userCaller())).toMatchObject({ ok: false, failure: { reason: "subject_client_not_allowed" } });
    expect(ask(userCaller(inNarrow))).toMatchObject({
      ok: true,
      value: { entry: "narrow-backend", registration: "narrow", scopes: ["User.Read"] },
    });
  });
});

test("a client id has the name of the policy, and every other one is the default registration's", () => {
  expect(registrationNameOf(policy, NARROW_ID)).toBe("narrow");
  expect(registrationNameOf(policy, REGISTRATION_ID)).toBe("default");
  expect(isOfRegistration(policy, { registration: "narrow" }, REGISTRATION_ID)).toBe(false);
  expect(isOfRegistration(policy, {}, NARROW_ID)).toBe(false);
});

describe("npm run policy", () => {
  test("names the registration of an entry", () => {
    expect(describePolicy(policy)).toContain("  presents tokens for the registration narrow");
  });

  test("names a client, and the blueprint of an entry that has no client", () => {
    const [first] = policy.callers;
    if (first === undefined) throw new Error("the test policy has no entries");
    const blueprint = { ...first, clientId: undefined, blueprint: NARROW_ID };
    const [line] = describePolicy({ ...policy, callers: [blueprint] });
    expect(line).toBe(`${first.name} (${first.kind} agents of blueprint ${NARROW_ID})`);
    expect(describePolicy(policy)[0]).toBe(`${first.name} (${first.kind} ${first.clientId})`);
  });

  test("has an error for different lists in one registration, and none in different ones", () => {
    const errors = (one: Policy) => policyFindings(one).filter(({ severity }) => severity === "error");
    expect(errors(policy)).toEqual([]);
    const wider = parsed(raw((p) => (p.callers[3].apis.graph = ["User.Read", "Mail.Read"])));
    expect(errors(wider)).toEqual([
      expect.objectContaining({ problem: "lacks Mail.Read, which narrow-backend has with the same registration" }),
    ]);
  });
});
