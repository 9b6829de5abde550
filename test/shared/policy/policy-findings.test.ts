/** Errors and warnings of a policy that the service accepts: what a caller would see, found before a caller sees it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluate } from "../../../shared/policy/evaluate.ts";
import { policyFindings } from "../../../shared/policy/policy-findings.ts";
import { release } from "../../../shared/policy/release.ts";
import type { CallerRule, Policy } from "../../../shared/policy/rules.ts";
import { APP_ID, parsed, policyWith, tokenParametersFor, WEB_ID } from "./support/policies.ts";

/** Without the warnings about scopes of the test policy that no entry uses. */
function findings(policy: Policy): string[] {
  return policyFindings(policy)
    .filter(({ path }) => path.startsWith("callers."))
    .map(({ severity, path, problem }) => `${severity} ${path} ${problem}`);
}

const same: Partial<CallerRule> = { apis: { graph: ["User.Read"] } };

describe("a policy without findings", () => {
  test.each<[string, Partial<CallerRule>, Partial<CallerRule>]>([
    ["has equal lists", same, same],
    [
      "has equal lists in another order",
      { apis: { graph: ["User.Read", "Mail.Read"] } },
      { apis: { graph: ["Mail.Read", "User.Read"] } },
    ],
    [
      "has a different list of client-credentials, because application tokens come from another registration",
      same,
      { flows: ["client-credentials"], apis: { graph: [".default"] } },
    ],
    ["has a different list for another API", same, { apis: { ...same.apis, orders: ["Orders.Read"] } }],
  ])("%s", (_name, users, backend) => {
    expect(findings(policyWith(users, backend))).toEqual([]);
  });
});

describe("an error is what cannot work", () => {
  test.each<[string, Partial<CallerRule>, Partial<CallerRule>, string]>([
    [
      "a list without a scope that another entry of the same registration has",
      same,
      { apis: { graph: ["User.Read", "Mail.Read"] } },
      "error callers.0.apis.graph lacks Mail.Read, which backend has with the same registration",
    ],
    [
      "only .default for an entry that acts for people",
      { apis: { graph: [".default"] }, flows: ["refresh-token"] },
      { apis: { graph: [".default"] }, flows: ["client-credentials"] },
      "error callers.0.apis.graph has only .default, in an entry with a flow that acts for a person",
    ],
    [
      "on-behalf-of without subject clients",
      same,
      { ...same, subjectClients: [] },
      "error callers.1 has the flow on-behalf-of, and subjectClients is empty",
    ],
    [
      "on-behalf-of with the default subject client, which has no user entry",
      same,
      { ...same, subjectClients: undefined as never },
      `error callers.1 has the flow on-behalf-of, but no entry of kind user with its registration has the client id ${APP_ID}`,
    ],
    [
      "on-behalf-of with a subject client that shares no scope",
      { apis: { orders: ["Orders.Read"] } },
      same,
      "error callers.1 has the flow on-behalf-of, but shares no scope with web-users, whose users' tokens it may exchange",
    ],
    [
      "refresh-token of an application without unattended",
      same,
      { ...same, unattended: false },
      "error callers.1 has the flow refresh-token without unattended, so it can redeem no grant",
    ],
  ])("%s", (_name, users, backend, finding) => {
    expect(findings(policyWith(users, backend))).toEqual([finding]);
  });

  test("a narrower list has three remedies, each with the names of the entries", () => {
    const [finding] = policyFindings(policyWith(same, { apis: { graph: ["User.Read", "Mail.Read"] } }));
    expect(finding).toMatchObject({
      effect: expect.stringMatching(/^a caller gets 500 scope_surplus on every call for graph/),
      remedies: [
        expect.stringMatching(/"release": "none" for web-users and relay rules for graph/),
        expect.stringMatching(/give web-users a registration of its own/),
        "use the same list: add Mail.Read to graph of web-users, or remove it from backend",
      ],
    });
  });
});

test("entries with different registrations may have different lists", () => {
  const policy = policyWith(same, { apis: { graph: ["User.Read", "Mail.Read"] }, flows: ["refresh-token"] });
  const [users, backend] = policy.callers;
  const narrow = { ...users, registration: "narrow" } as CallerRule;
  expect(findings(policy)).toHaveLength(1);
  expect(findings({ ...policy, callers: [narrow, backend as CallerRule] })).toEqual([]);
});

test("an application exchanges no token of people whose entry has another registration", () => {
  const policy = policyWith(same, same);
  const [users, backend] = policy.callers;
  const narrow = { ...users, registration: "narrow" } as CallerRule;
  expect(findings({ ...policy, callers: [narrow, backend as CallerRule] })).toEqual([
    `error callers.1 has the flow on-behalf-of, but no entry of kind user with its registration has the client id ${WEB_ID}`,
  ]);
});

describe("a warning is what allows more than most need", () => {
  test.each<[string, Partial<CallerRule>, Partial<CallerRule>, string]>([
    ["acceptSurplus", same, { ...same, acceptSurplus: true }, "warning callers.1 accepts surplus scopes"],
    [
      "grants of public clients",
      { ...same, offlineAccess: true },
      same,
      "warning callers.0 allows grants for public clients",
    ],
    [
      "importRefreshTokens",
      same,
      { ...same, importRefreshTokens: true },
      "warning callers.1 accepts refresh tokens of Entra, which is for a migration",
    ],
  ])("%s", (_name, users, backend, finding) => {
    expect(findings(policyWith(users, backend))).toEqual([finding]);
  });

  test("a scope of an API that no entry's list has", () => {
    expect(policyFindings(policyWith(same, same)).map(({ severity, path }) => `${severity} ${path}`)).toEqual([
      "warning apis.graph.scopes.1",
      "warning apis.graph.scopes.2",
      "warning apis.graph.scopes.3",
    ]);
  });
});

test("property: an entry has the surplus error exactly if each of its tokens is refused as scope_surplus", () => {
  const scopes = fc.subarray(["User.Read", "Mail.Read", "Mail.Send", "Calendars.Read"], { minLength: 1 });
  const entry = fc.record({ scopes, acceptSurplus: fc.boolean() });
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 4 }), (entries) => {
      const callers = entries.map(({ scopes: graph, acceptSurplus }, index) => ({
        name: `entry-${index}`,
        kind: "user",
        clientId: `${WEB_ID.slice(0, -1)}${index}`,
        flows: ["on-behalf-of"],
        apis: { graph },
        acceptSurplus,
      }));
      const consented = [...new Set(entries.flatMap((one) => one.scopes))];
      const policy = parsed(
        JSON.stringify({ apis: { graph: { resource: "https://graph.microsoft.com", scopes: consented } }, callers }),
      );
      const refused = policy.callers.flatMap(({ name, kind, clientId = "" }, index) => {
        const caller = {
          kind,
          clientId,
          registration: "",
          roles: [],
          confidential: true,
          understandsClaimsChallenge: false,
        };
        const allowed = evaluate(policy, { caller, flow: "on-behalf-of", tokenParameters: tokenParametersFor() });
        return allowed.ok && !release(allowed.value, consented, name).ok ? [`callers.${index}.apis.graph`] : [];
      });
      const errors = policyFindings(policy).filter(({ severity }) => severity === "error");
      expect(errors.map(({ path }) => path)).toEqual(refused);
    }),
  );
});

test("a description of a scope that the API does not list is a warning that names it", () => {
  const policy = policyWith(same, same);
  const { graph, ...others } = policy.apis;
  if (graph === undefined) throw new Error("the test policy has no graph");
  const apis = { ...others, graph: { ...graph, scopeDescriptions: { "User.Reed": "Read your profile" } } };
  expect(policyFindings({ ...policy, apis })).toContainEqual({
    severity: "warning",
    path: "apis.graph.scopeDescriptions",
    problem: "describes User.Reed, which is not in the list of scopes",
    effect: "no page shows these words",
  });
});
