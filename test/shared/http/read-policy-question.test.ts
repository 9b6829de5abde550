/**
 * `POST /policy/explain`: a question has limits, types and all required members. A refusal names the first invalid
 * member.
 */
import { describe, expect, test } from "vitest";
import { readPolicyQuestion } from "../../../shared/http/read-policy-question.ts";
import { posted, refusal } from "./support/incoming.ts";

const PERSON = { kind: "user", clientId: "c" };
const APPLICATION = { kind: "application", clientId: "c" };
const GOOD = { caller: PERSON, flow: "on-behalf-of" };
const REDEEMING = { caller: APPLICATION, flow: "refresh-token" };
const GRANT = { api: "graph", scopes: ["User.Read"] };

test("absent members of a question get their defaults", async () => {
  expect(await readPolicyQuestion(posted(GOOD))).toEqual({
    ok: true,
    value: {
      about: "request",
      flow: "on-behalf-of",
      caller: { ...PERSON, registration: "default", roles: [], confidential: true, understandsClaimsChallenge: false },
      tokenParameters: {
        audiences: [],
        resources: [],
        scopes: undefined,
        offlineAccess: false,
        claims: undefined,
        forceRefresh: false,
        minimumSeconds: 0,
      },
    },
  });
});

test("scopes of a question are read as on every route: offline_access requests a grant, openid has no effect", async () => {
  const question = { ...GOOD, api: "graph", scopes: ["openid", "User.Read", "offline_access"] };
  expect(await readPolicyQuestion(posted(question))).toMatchObject({
    value: { tokenParameters: { audiences: ["graph"], scopes: ["User.Read"], offlineAccess: true } },
  });
});

test.each([
  ["one API", GRANT, [GRANT]],
  ["several APIs", [GRANT, { api: "orders", scopes: [] }], [GRANT, { api: "orders", scopes: [] }]],
])("a question about a grant for %s is read", async (_name, grant, given) => {
  expect(await readPolicyQuestion(posted({ ...REDEEMING, grant }))).toMatchObject({ value: { given } });
});

test("a question about a link has the entry and the APIs of the grant", async () => {
  const link = { caller: "daemon", apis: { graph: ["User.Read"], orders: [] } };
  expect(await readPolicyQuestion(posted({ link }))).toEqual({
    ok: true,
    value: {
      about: "link",
      caller: "daemon",
      apis: [
        { api: "graph", scopes: ["User.Read"] },
        { api: "orders", scopes: [] },
      ],
    },
  });
});

test.each<[string, unknown, string]>([
  ["an empty object", {}, "parameter_invalid caller"],
  ["no flow", { ...GOOD, flow: undefined }, "parameter_invalid flow"],
  ["an unknown flow", { ...GOOD, flow: "password" }, "parameter_invalid flow"],
  ["an unknown kind", { ...GOOD, caller: { kind: "x", clientId: "c" } }, "parameter_invalid caller.kind"],
  ["an unknown member", { ...GOOD, token: "x" }, "parameter_invalid token"],
  ["an unknown member of the caller", { ...GOOD, caller: { ...GOOD.caller, x: 1 } }, "parameter_invalid caller.x"],
  ["SEC-3: a member with special characters", { ...GOOD, 'a"': 1 }, "parameter_invalid a parameter"],
  ["too many scopes", { ...GOOD, scopes: Array.from({ length: 65 }, () => "s") }, "parameter_invalid scopes"],
  ["an invalid scope", { ...GOOD, scopes: ["a b"] }, "scope_malformed scopes"],
  ["a list as the body", [], "body_not_json"],
  ["a grant without an API", { ...REDEEMING, grant: [] }, "parameter_invalid grant"],
  ["a grant with one API twice", { ...REDEEMING, grant: [GRANT, GRANT] }, "parameter_invalid grant"],
  ["a grant handle instead of its APIs", { ...REDEEMING, grant: "gte_x" }, "parameter_invalid grant.0"],
  ["an import of false", { ...REDEEMING, import: false }, "parameter_missing grant"],
  ["a link without a caller", { link: { apis: { graph: [] } } }, "parameter_invalid link.caller"],
  ["a link without an API", { link: { caller: "daemon", apis: {} } }, "parameter_missing link.apis"],
  [
    "a link with too many APIs",
    { link: { caller: "daemon", apis: Object.fromEntries(Array.from({ length: 11 }, (_, index) => [index, []])) } },
    "parameter_invalid link.apis",
  ],
  [
    "a link together with a request",
    { ...GOOD, link: { caller: "daemon", apis: { graph: [] } } },
    "parameter_invalid caller",
  ],
])("a question is refused: %s", async (_name, body, outcome) => {
  expect(refusal(await readPolicyQuestion(posted(body)))).toBe(`request_invalid ${outcome}`);
});

describe("a question has exactly the members of its flow", () => {
  const flowMembers = { subject: PERSON, grant: GRANT, import: true, redirectUri: "https://c.example/" };
  const flows: [flow: string, caller: object, one: (keyof typeof flowMembers)[]][] = [
    ["on-behalf-of", PERSON, []],
    ["on-behalf-of", APPLICATION, ["subject"]],
    ["refresh-token", PERSON, ["grant", "import"]],
    ["refresh-token", APPLICATION, ["grant", "import"]],
    ["authorization-code", APPLICATION, ["redirectUri"]],
    ["client-credentials", APPLICATION, []],
  ];
  const rows = flows.flatMap(([flow, caller, one]) => [
    { flow, caller, with: {}, outcome: one[0] === undefined ? "read" : `parameter_missing ${one[0]}` },
    ...(Object.keys(flowMembers) as (keyof typeof flowMembers)[]).map((member) => ({
      flow,
      caller,
      with: { [member]: flowMembers[member] },
      outcome: one.includes(member) ? "read" : `parameter_not_supported ${member}`,
    })),
  ]);

  test.each(rows)("$flow by $caller.kind with $with gives $outcome", async ({ flow, caller, with: more, outcome }) => {
    const read = await readPolicyQuestion(posted({ flow, caller, ...more }));
    expect(read.ok ? "request_invalid read" : refusal(read)).toBe(`request_invalid ${outcome}`);
  });

  test("a question with both a grant and an import is refused", async () => {
    const both = await readPolicyQuestion(posted({ ...REDEEMING, grant: GRANT, import: true }));
    expect(refusal(both)).toBe("request_invalid parameter_not_supported import");
  });
});
