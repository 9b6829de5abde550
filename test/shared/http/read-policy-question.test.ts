/** `POST /policy/explain`: a question is bounded and typed, and complete; the first wrong member is named. */
import { describe, expect, test } from "vitest";
import { readPolicyQuestion } from "../../../shared/http/read-policy-question.ts";
import { posted, refusal } from "./support/incoming.ts";

const PERSON = { kind: "user", clientId: "c" };
const APPLICATION = { kind: "application", clientId: "c" };
const GOOD = { caller: PERSON, flow: "on-behalf-of" };
const REDEEMING = { caller: APPLICATION, flow: "refresh-token" };
const GRANT = { api: "graph", scopes: ["User.Read"] };

test("defaults are filled in", async () => {
  expect(await readPolicyQuestion(posted(GOOD))).toEqual({
    ok: true,
    value: {
      about: "request",
      flow: "on-behalf-of",
      caller: { ...PERSON, roles: [], confidential: true, understandsClaimsChallenge: false },
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

test("scopes are read as on every route: offline_access asks for a grant, openid for nothing", async () => {
  const asked = { ...GOOD, api: "graph", scopes: ["openid", "User.Read", "offline_access"] };
  expect(await readPolicyQuestion(posted(asked))).toMatchObject({
    value: { tokenParameters: { audiences: ["graph"], scopes: ["User.Read"], offlineAccess: true } },
  });
});

test.each([
  ["one API", GRANT, [GRANT]],
  ["several", [GRANT, { api: "orders", scopes: [] }], [GRANT, { api: "orders", scopes: [] }]],
])("a grant covers %s", async (_name, grant, given) => {
  expect(await readPolicyQuestion(posted({ ...REDEEMING, grant }))).toMatchObject({ value: { given } });
});

test("a link: the entry, and what the grant shall cover", async () => {
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
  ["nothing", {}, "parameter_invalid caller"],
  ["no flow", { ...GOOD, flow: undefined }, "parameter_invalid flow"],
  ["another flow", { ...GOOD, flow: "password" }, "parameter_invalid flow"],
  ["another kind", { ...GOOD, caller: { kind: "x", clientId: "c" } }, "parameter_invalid caller.kind"],
  ["an unknown member", { ...GOOD, token: "x" }, "parameter_invalid token"],
  ["an unknown member of the caller", { ...GOOD, caller: { ...GOOD.caller, x: 1 } }, "parameter_invalid caller.x"],
  ["SEC-3: one that is not plain", { ...GOOD, 'a"': 1 }, "parameter_invalid a parameter"],
  ["too many scopes", { ...GOOD, scopes: Array.from({ length: 65 }, () => "s") }, "parameter_invalid scopes"],
  ["a scope that is none", { ...GOOD, scopes: ["a b"] }, "scope_malformed scopes"],
  ["no object", [], "body_not_json"],
  ["a grant for nothing", { ...REDEEMING, grant: [] }, "parameter_invalid grant"],
  ["a grant with one API twice", { ...REDEEMING, grant: [GRANT, GRANT] }, "parameter_invalid grant"],
  ["a grant that is none", { ...REDEEMING, grant: "gte_x" }, "parameter_invalid grant.0"],
  ["an import that is none", { ...REDEEMING, import: false }, "parameter_missing grant"],
  ["a link for nobody", { link: { apis: { graph: [] } } }, "parameter_invalid link.caller"],
  ["a link for no API", { link: { caller: "daemon", apis: {} } }, "parameter_missing link.apis"],
  [
    "a link for too many",
    { link: { caller: "daemon", apis: Object.fromEntries(Array.from({ length: 11 }, (_, index) => [index, []])) } },
    "parameter_invalid link.apis",
  ],
  ["a link beside a request", { ...GOOD, link: { caller: "daemon", apis: { graph: [] } } }, "parameter_invalid caller"],
])("%s is refused", async (_name, body, outcome) => {
  expect(refusal(await readPolicyQuestion(posted(body)))).toBe(`request_invalid ${outcome}`);
});

describe("what the request itself would bring must be said, and nothing else of that kind", () => {
  const brought = { subject: PERSON, grant: GRANT, import: true, redirectUri: "https://c.example/" };
  const flows: [flow: string, caller: object, one: (keyof typeof brought)[]][] = [
    ["on-behalf-of", PERSON, []],
    ["on-behalf-of", APPLICATION, ["subject"]],
    ["refresh-token", PERSON, ["grant", "import"]],
    ["refresh-token", APPLICATION, ["grant", "import"]],
    ["authorization-code", APPLICATION, ["redirectUri"]],
    ["client-credentials", APPLICATION, []],
  ];
  const rows = flows.flatMap(([flow, caller, one]) => [
    { flow, caller, with: {}, outcome: one[0] === undefined ? "read" : `parameter_missing ${one[0]}` },
    ...(Object.keys(brought) as (keyof typeof brought)[]).map((member) => ({
      flow,
      caller,
      with: { [member]: brought[member] },
      outcome: one.includes(member) ? "read" : `parameter_not_supported ${member}`,
    })),
  ]);

  test.each(rows)("$flow by $caller.kind with $with: $outcome", async ({ flow, caller, with: more, outcome }) => {
    const read = await readPolicyQuestion(posted({ flow, caller, ...more }));
    expect(read.ok ? "request_invalid read" : refusal(read)).toBe(`request_invalid ${outcome}`);
  });

  test("a grant and Entra's refresh token are two requests", async () => {
    const both = await readPolicyQuestion(posted({ ...REDEEMING, grant: GRANT, import: true }));
    expect(refusal(both)).toBe("request_invalid parameter_not_supported import");
  });
});
