/** Who gets what: each rule that refuses, each way to name an API, and what never happens whatever is asked. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TokenParameters } from "../../../shared/core/exchange-request.ts";
import { type DecisionInput, decide } from "../../../shared/policy/decide.ts";
import { entryFor } from "../../../shared/policy/evaluate.ts";
import { release } from "../../../shared/policy/release.ts";
import type { CallerRule } from "../../../shared/policy/rules.ts";
import {
  APP_ID,
  applicationCaller,
  GRAPH,
  ORDERS,
  parsed,
  policyText,
  policyWith,
  userCaller,
  WEB_ID,
  wishFor,
} from "./support/policies.ts";

const GRANT = { api: "graph", scopes: ["User.Read"] };
const OF_ITS_OWN: Partial<CallerRule> = { flows: ["on-behalf-of", "refresh-token", "client-credentials"] };

function byUser(tokenParameters: Partial<TokenParameters> = {}, changes: Partial<DecisionInput> = {}): DecisionInput {
  const caller = userCaller();
  return { caller, subject: caller, flow: "on-behalf-of", tokenParameters: wishFor(tokenParameters), ...changes };
}

function byApplication(
  tokenParameters: Partial<TokenParameters> = {},
  changes: Partial<DecisionInput> = {},
): DecisionInput {
  return {
    caller: applicationCaller(),
    subject: userCaller(),
    flow: "on-behalf-of",
    tokenParameters: wishFor(tokenParameters),
    ...changes,
  };
}

function alone(flow: DecisionInput["flow"], changes: Partial<DecisionInput> = {}): DecisionInput {
  return { caller: applicationCaller(), flow, tokenParameters: wishFor(), ...changes };
}

function refusal(input: DecisionInput, users: Partial<CallerRule> = {}, backend: Partial<CallerRule> = {}) {
  const decision = decide(policyWith(users, backend), input);
  return decision.ok ? "allowed" : decision.failure.reason;
}

function scopes(input: DecisionInput, users: Partial<CallerRule> = {}, backend: Partial<CallerRule> = {}) {
  const decision = decide(policyWith(users, backend), input);
  return decision.ok ? decision.value.scopes : decision.failure.reason;
}

describe("who may call", () => {
  test("a caller that no entry names is not listed, and no entry is blamed", () => {
    const stranger = userCaller({ clientId: "ca11e400-0000-4000-8000-0000000000ff" });
    expect(decide(policyWith(), byUser({}, { caller: stranger }))).toEqual({
      ok: false,
      failure: { reason: "caller_not_listed" },
    });
  });

  test("a refusal names the entry that matched", () => {
    expect(decide(policyWith(), byUser({ scopes: ["Files.Read"] }))).toEqual({
      ok: false,
      failure: { reason: "scope_not_allowed", entry: "web-users", api: "graph", scopes: [] },
    });
  });

  test("the kind counts: a user of the application's client is another caller", () => {
    expect(refusal(byUser({}, { caller: userCaller({ clientId: APP_ID }) }))).toBe("caller_not_listed");
    expect(refusal(alone("client-credentials", { caller: applicationCaller({ clientId: WEB_ID }) }))).toBe(
      "caller_not_listed",
    );
  });

  test("the case of a GUID does not", () => {
    expect(entryFor(policyWith(), userCaller({ clientId: WEB_ID.toUpperCase() }))?.name).toBe("web-users");
  });

  test.each<[readonly string[], string]>([
    [[], "caller_not_listed"],
    [["Writer"], "caller_not_listed"],
    [["reader"], "caller_not_listed"],
    [["Writer", "Reader"], "allowed"],
  ])("an entry with role Reader and a caller with roles %j: %s", (roles, outcome) => {
    expect(refusal(byUser({}, { caller: userCaller({ roles }) }), { role: "Reader" })).toBe(outcome);
  });

  test.each<[boolean, boolean, string]>([
    [true, false, "public_client"],
    [true, true, "allowed"],
    [false, false, "allowed"],
  ])("requireConfidentialClient %s, client confidential %s: %s", (requireConfidentialClient, confidential, outcome) => {
    expect(refusal(byUser({}, { caller: userCaller({ confidential }) }), { requireConfidentialClient })).toBe(outcome);
  });
});

describe("which flow", () => {
  test.each<[string, DecisionInput, Partial<CallerRule>, Partial<CallerRule>, string]>([
    ["a flow that is not written", byUser(), { flows: ["refresh-token"] }, {}, "flow_not_allowed"],
    ["offline_access that is not written", byUser({ offlineAccess: true }), {}, {}, "offline_access_not_allowed"],
    ["offline_access that is", byUser({ offlineAccess: true }), { offlineAccess: true }, {}, "allowed"],
    [
      "offline_access at a redemption asks for nothing new",
      byUser({ offlineAccess: true }, { flow: "refresh-token", given: [GRANT] }),
      {},
      {},
      "allowed",
    ],
    ["a user redeems its own grant", byUser({}, { flow: "refresh-token", given: [GRANT] }), {}, {}, "allowed"],
    ["an application redeems a grant unattended", alone("refresh-token", { given: [GRANT] }), {}, {}, "allowed"],
    [
      "an application that may not",
      alone("refresh-token", { given: [GRANT] }),
      {},
      { unattended: false },
      "unattended_not_allowed",
    ],
    ["a refresh token of Entra's", alone("refresh-token"), {}, {}, "import_not_allowed"],
    ["one that may be imported", alone("refresh-token"), {}, { importRefreshTokens: true }, "allowed"],
    ["client credentials that are not written", alone("client-credentials"), {}, {}, "flow_not_allowed"],
    ["client credentials", alone("client-credentials"), {}, OF_ITS_OWN, "allowed"],
  ])("%s", (_name, input, users, backend, outcome) => {
    expect(refusal(input, users, backend)).toBe(outcome);
  });

  const redirecting: Partial<CallerRule> = {
    flows: ["authorization-code"],
    redirectUris: ["https://app.example/cb"],
  };
  test.each<[string | undefined, string]>([
    ["https://app.example/cb", "allowed"],
    ["https://app.example/cb/", "redirect_uri_not_allowed"],
    ["https://app.example/cb?x", "redirect_uri_not_allowed"],
    ["https://app.example/c", "redirect_uri_not_allowed"],
    ["https://APP.example/cb", "redirect_uri_not_allowed"],
    ["https://app.example.evil.example/cb", "redirect_uri_not_allowed"],
    ["", "redirect_uri_not_allowed"],
    [undefined, "redirect_uri_not_allowed"],
  ])("SEC-6: a code for redirect URI %j: %s", (redirectUri, outcome) => {
    const changes = redirectUri === undefined ? {} : { redirectUri };
    expect(refusal(alone("authorization-code", changes), {}, redirecting)).toBe(outcome);
  });
});

describe("whose token an application exchanges", () => {
  test("scopes are the caller's list and the subject client's list, intersected", () => {
    expect(scopes(byApplication())).toEqual(["User.Read"]);
    expect(scopes(byApplication({ scopes: ["Mail.Read"] }))).toBe("scope_not_allowed");
    expect(scopes(byApplication({ scopes: ["Calendars.Read"] }))).toBe("scope_not_allowed");
  });

  test.each<[string, Partial<CallerRule>, Partial<CallerRule>, string]>([
    ["a client that is not in subjectClients", {}, { subjectClients: [] }, "subject_client_not_allowed"],
    ["by default, only its own client", {}, { subjectClients: undefined as never }, "subject_client_not_allowed"],
    ["its own client", { clientId: APP_ID }, { subjectClients: undefined as never }, "allowed"],
    ["a client of which confidence is required", { requireConfidentialClient: true }, {}, "subject_client_not_allowed"],
    ["lists without a common scope", { apis: { graph: ["Mail.Read"] } }, {}, "api_not_allowed"],
    ["an API that only the subject's client may use", {}, { apis: { orders: ["Orders.Read"] } }, "api_not_allowed"],
  ])("%s", (_name, users, backend, outcome) => {
    const subject = userCaller({ clientId: users.clientId ?? WEB_ID, confidential: false });
    expect(refusal(byApplication({}, { subject }), users, backend)).toBe(outcome);
  });

  test("its own client has no entry as a user", () => {
    const own = byApplication({}, { subject: userCaller({ clientId: APP_ID }) });
    expect(refusal(own, {}, { subjectClients: undefined as never })).toBe("subject_client_not_allowed");
  });

  test("the case of the subject's client id does not count", () => {
    expect(scopes(byApplication({}, { subject: userCaller({ clientId: WEB_ID.toUpperCase() }) }))).toEqual([
      "User.Read",
    ]);
  });
});

describe("which API (RFC 8707)", () => {
  const twoApis: Partial<CallerRule> = { apis: { graph: ["User.Read"], orders: ["Orders.Read"] } };
  const nothing: Partial<TokenParameters> = { audiences: [] };

  test.each<[string, Partial<TokenParameters>, string]>([
    ["audience", { audiences: ["orders"] }, "orders"],
    ["the same audience twice", { audiences: ["orders", "orders"] }, "orders"],
    ["resource", { ...nothing, resources: [ORDERS] }, "orders"],
    ["the resource of a scope", { ...nothing, scopes: [`${ORDERS}/Orders.Read`] }, "orders"],
    [
      "all three, agreeing",
      { audiences: ["orders"], resources: [ORDERS], scopes: [`${ORDERS}/Orders.Read`] },
      "orders",
    ],
    ["an audience and bare scopes", { audiences: ["orders"], scopes: ["Orders.Read"] }, "orders"],
    ["two audiences", { audiences: ["graph", "orders"] }, "api_ambiguous"],
    ["audience against resource", { audiences: ["graph"], resources: [ORDERS] }, "api_ambiguous"],
    ["audience against scope", { audiences: ["graph"], scopes: [`${ORDERS}/Orders.Read`] }, "api_ambiguous"],
    [
      "E-93: scopes of two resources",
      { ...nothing, scopes: [`${GRAPH}/User.Read`, `${ORDERS}/Orders.Read`] },
      "api_ambiguous",
    ],
    ["nothing", nothing, "api_not_named"],
    ["bare scopes alone", { ...nothing, scopes: ["User.Read"] }, "api_not_named"],
    ["an unknown audience", { audiences: ["mail"] }, "api_unknown"],
    ["an audience in other letters", { audiences: ["Graph"] }, "api_unknown"],
    ["a member of every object as audience", { audiences: ["constructor"] }, "api_unknown"],
    ["__proto__ as audience", { audiences: ["__proto__"] }, "api_unknown"],
    ["an empty audience", { audiences: [""] }, "api_unknown"],
    ["an unknown resource", { ...nothing, resources: ["https://vault.azure.net"] }, "api_unknown"],
    ["SEC-5: a resource with a slash more", { ...nothing, resources: [`${GRAPH}/`] }, "api_unknown"],
    ["SEC-5: a resource in other letters", { ...nothing, resources: ["https://GRAPH.microsoft.com"] }, "api_unknown"],
    ["SEC-5: a resource that begins alike", { ...nothing, resources: [`${GRAPH}.evil.example`] }, "api_unknown"],
    [
      "SEC-5: a scope of an unknown resource",
      { ...nothing, scopes: ["https://vault.azure.net/.default"] },
      "api_unknown",
    ],
    ["SEC-5: a scope of a look-alike", { ...nothing, scopes: [`${GRAPH}.evil.example/User.Read`] }, "api_unknown"],
    ["unknown wins over ambiguous", { audiences: ["graph", "mail"] }, "api_unknown"],
  ])("%s", (_name, tokenParameters, outcome) => {
    const decision = decide(policyWith(twoApis), byUser(tokenParameters));
    expect(decision.ok ? decision.value.api.name : decision.failure.reason).toBe(outcome);
  });

  test("the only API there is needs no name", () => {
    const raw = JSON.parse(policyText({}, { apis: { graph: ["User.Read"] } }));
    raw.apis = { graph: raw.apis.graph };
    const decision = decide(parsed(JSON.stringify(raw)), byUser(nothing));
    expect(decision.ok && decision.value.api).toEqual({
      name: "graph",
      resource: GRAPH,
      contentType: "application/json",
    });
  });

  test("an API's content type goes with it", () => {
    const decision = decide(policyWith(twoApis), byUser({ audiences: ["orders"] }));
    expect(decision.ok && decision.value.api.contentType).toBe("application/vnd.contoso+json");
  });

  test("the longest resource wins where one contains another", () => {
    const raw = JSON.parse(policyText(twoApis));
    raw.apis.orders.resource = `${GRAPH}/orders`;
    const policy = parsed(JSON.stringify(raw));
    const decision = decide(policy, byUser({ audiences: [], scopes: [`${GRAPH}/orders/Orders.Read`] }));
    expect(decision).toMatchObject({ value: { api: { name: "orders" }, scopes: ["Orders.Read"] } });
  });

  test("a grant names its API, and no other may be asked with it", () => {
    const given = [{ api: "orders", scopes: ["Orders.Read"] }] as const;
    expect(scopes(alone("refresh-token", { tokenParameters: wishFor(nothing), given }))).toEqual(["Orders.Read"]);
    expect(scopes(alone("refresh-token", { tokenParameters: wishFor({ audiences: ["graph"] }), given }))).toBe(
      "api_not_allowed",
    );
  });

  test("a grant for an API that policy no longer has", () => {
    const given = [{ api: "removed", scopes: ["X"] }] as const;
    expect(scopes(alone("refresh-token", { tokenParameters: wishFor(nothing), given }))).toBe("api_unknown");
  });

  test("an API that this caller has no list for, even one named as a member of every object", () => {
    expect(scopes(byUser({ audiences: ["orders"] }))).toBe("api_not_allowed");
    const raw = JSON.parse(policyText());
    raw.apis.constructor = raw.apis.orders;
    delete raw.apis.orders;
    delete raw.callers[1].apis.orders;
    expect(decide(parsed(JSON.stringify(raw)), byUser({ audiences: ["constructor"] }))).toMatchObject({
      failure: { reason: "api_not_allowed" },
    });
  });
});

describe("which scopes", () => {
  test.each<[string, readonly string[] | undefined, readonly string[] | string]>([
    ["asking nothing gives the list, sorted", undefined, ["Mail.Read", "User.Read"]],
    ["an empty wish asks nothing", [], ["Mail.Read", "User.Read"]],
    ["a part of the list", ["User.Read"], ["User.Read"]],
    ["the same twice", ["User.Read", "User.Read"], ["User.Read"]],
    ["qualified", [`${GRAPH}/Mail.Read`], ["Mail.Read"]],
    ["bare and qualified are the same", ["Mail.Read", `${GRAPH}/Mail.Read`], ["Mail.Read"]],
    ["a scope outside the list", ["Files.Read"], "scope_not_allowed"],
    ["one inside, one outside", ["User.Read", "Files.Read"], "scope_not_allowed"],
    ["a scope of the API that is not in the caller's list", ["Calendars.Read"], "scope_not_allowed"],
    ["other letters", ["user.read"], "scope_not_allowed"],
    ["a path more", ["User.Read/"], "scope_not_allowed"],
    ["a slash before", [`${GRAPH}//User.Read`], "scope_not_allowed"],
    ["SEC-5: .default where it is not written", [".default"], "scope_not_allowed"],
    ["the same, qualified", [`${GRAPH}/.default`], "scope_not_allowed"],
  ])("%s", (_name, asked, outcome) => {
    expect(scopes(byUser({ scopes: asked }))).toEqual(outcome);
  });

  test.each<[string, readonly string[], readonly string[] | undefined, readonly string[] | string]>([
    ["written alone, asked", [".default"], [".default"], [".default"]],
    ["written alone, asking nothing", [".default"], undefined, [".default"]],
    ["beside others: asking nothing gives the named ones", ["User.Read", ".default"], undefined, ["User.Read"]],
    ["beside others, asked", ["User.Read", ".default"], [".default"], [".default"]],
    ["asked twice", ["User.Read", ".default"], [".default", ".default"], [".default"]],
    ["Entra takes it alone only", ["User.Read", ".default"], [".default", "User.Read"], "scope_not_allowed"],
  ])(".default %s", (_name, list, asked, outcome) => {
    expect(scopes(byUser({ scopes: asked }), { apis: { graph: [...list] } })).toEqual(outcome);
  });

  test.each<[string, readonly string[] | undefined, readonly string[] | string]>([
    ["asking nothing", undefined, [".default"]],
    ["asking .default", [".default"], [".default"]],
    ["asking less, which Entra does not give", ["User.Read"], "scope_not_allowed"],
  ])("client credentials give .default or nothing: %s", (_name, asked, outcome) => {
    expect(
      scopes(alone("client-credentials", { tokenParameters: wishFor({ scopes: asked }) }), {}, OF_ITS_OWN),
    ).toEqual(outcome);
  });

  test("client credentials where .default is not written: an application token would carry everything", () => {
    const raw = JSON.parse(policyText({}, { ...OF_ITS_OWN, apis: { graph: ["User.Read"], orders: [".default"] } }));
    raw.apis.orders.scopes.push(".default");
    const decision = decide(parsed(JSON.stringify(raw)), alone("client-credentials"));
    expect(decision).toMatchObject({ failure: { reason: "scope_not_allowed" } });
  });

  test.each<[string, readonly string[], readonly string[] | undefined, readonly string[] | string]>([
    ["asking nothing gives what was granted", ["User.Read"], undefined, ["User.Read"]],
    ["RFC 6749 section 6: never more than was granted", ["User.Read"], ["Calendars.Read"], "scope_not_allowed"],
    ["what policy has taken away since is gone", ["Mail.Read"], undefined, "scope_not_allowed"],
    ["a part of it still is there", ["User.Read", "Mail.Read"], undefined, ["User.Read"]],
  ])("a grant: %s", (_name, granted, asked, outcome) => {
    const given = [{ api: "graph", scopes: granted }] as const;
    expect(scopes(alone("refresh-token", { tokenParameters: wishFor({ scopes: asked }), given }))).toEqual(outcome);
  });
});

describe("the entitlement", () => {
  test("says what was decided and nothing that was only asked", () => {
    const users: Partial<CallerRule> = { offlineAccess: true, grantMaxDays: 30, acceptSurplus: true };
    expect(decide(policyWith(users), byUser({ scopes: ["User.Read"], offlineAccess: true }))).toEqual({
      ok: true,
      value: {
        entry: "web-users",
        flow: "on-behalf-of",
        api: { name: "graph", resource: GRAPH, contentType: "application/json" },
        scopes: ["User.Read"],
        releasable: ["User.Read", "Mail.Read"],
        acceptSurplus: true,
        also: [],
        offlineAccess: true,
        grantMaxDays: 30,
        importRefreshTokens: false,
        cae: false,
        bypassPerMinute: 10,
      },
    });
  });

  test.each<[boolean, boolean, boolean]>([
    [false, false, false],
    [true, false, false],
    [false, true, false],
    [true, true, true],
  ])("cae: policy %s, the caller's token has cp1 %s: %s", (cae, understandsClaimsChallenge, expected) => {
    const decision = decide(policyWith({ cae }), byUser({}, { caller: userCaller({ understandsClaimsChallenge }) }));
    expect(decision.ok && decision.value.cae).toBe(expected);
  });

  test("the bypass budget is the entry's where it has one", () => {
    const decision = decide(policyWith({ limits: { bypassPerMinute: 3 } }), byUser());
    expect(decision.ok && decision.value.bypassPerMinute).toBe(3);
  });

  test.each<[DecisionInput["flow"], boolean]>([
    ["on-behalf-of", true],
    ["refresh-token", false],
  ])("offline_access with %s keeps a permission: %s", (flow, kept) => {
    const users: Partial<CallerRule> = { offlineAccess: true };
    const decision = decide(policyWith(users), byUser({ offlineAccess: true }, { flow, given: [GRANT] }));
    expect(decision.ok && decision.value.offlineAccess).toBe(kept);
  });
});

const scopeName = fc.constantFrom("User.Read", "Mail.Read", "Calendars.Read", "Files.Read", ".default", "user.read");
const anyScope = fc.oneof(
  scopeName,
  scopeName.map((name) => `${GRAPH}/${name}`),
  scopeName.map((name) => `${ORDERS}/${name}`),
  fc.string(),
);
const anyWish = fc
  .record({
    audiences: fc.array(fc.constantFrom("graph", "orders", "mail", "__proto__"), { maxLength: 2 }),
    resources: fc.array(fc.constantFrom(GRAPH, ORDERS, "https://other.example"), { maxLength: 2 }),
    scopes: fc.option(fc.array(anyScope, { maxLength: 4 }), { nil: undefined }),
    offlineAccess: fc.boolean(),
  })
  .map(wishFor);
const listOfScopes = fc.uniqueArray(fc.constantFrom("User.Read", "Mail.Read", "Calendars.Read", ".default"), {
  minLength: 1,
});
const anyInput: fc.Arbitrary<DecisionInput> = fc
  .record({
    tokenParameters: anyWish,
    who: fc.constantFrom("user", "application"),
    flow: fc.constantFrom("on-behalf-of", "refresh-token", "authorization-code", "client-credentials"),
    grant: fc.option(fc.record({ api: fc.constantFrom("graph", "orders", "x"), scopes: fc.array(scopeName) })),
    withSubject: fc.boolean(),
  })
  .map(({ tokenParameters, who, flow, grant, withSubject }) => ({
    caller: who === "user" ? userCaller() : applicationCaller(),
    flow: flow as DecisionInput["flow"],
    tokenParameters,
    ...(withSubject ? { subject: userCaller() } : {}),
    ...(grant === null ? {} : { grant }),
  }));

function backendWith(list: string[], offlineAccess: boolean): Partial<CallerRule> {
  return { apis: { graph: list }, offlineAccess, ...(list.includes(".default") ? OF_ITS_OWN : {}) };
}

describe("whatever is asked", () => {
  test("property: deciding is total, and what is given was asked, is written, and was granted", () => {
    fc.assert(
      fc.property(anyInput, listOfScopes, listOfScopes, fc.boolean(), (input, theirs, ours, offlineAccess) => {
        const policy = policyWith({ apis: { graph: theirs }, offlineAccess }, backendWith(ours, offlineAccess));
        const decision = decide(policy, input);
        if (!decision.ok) {
          expect(typeof decision.failure.reason).toBe("string");
          return;
        }
        const { scopes: given, releasable, api } = decision.value;
        const list = input.caller.kind === "user" ? theirs : ours;
        const bare = input.tokenParameters.scopes?.map((scope) => scope.replace(`${GRAPH}/`, "")) ?? [];
        expect(given.length).toBeGreaterThan(0);
        expect(list).toEqual(expect.arrayContaining([...given]));
        expect(list).toEqual(expect.arrayContaining([...releasable]));
        expect(releasable).toEqual(expect.arrayContaining([...given]));
        expect(bare.length === 0 || given.every((scope) => bare.includes(scope))).toBe(true);
        expect(input.given === undefined || given.every((scope) => input.given?.[0].scopes.includes(scope))).toBe(true);
        expect(given.length === 1 || !given.includes(".default")).toBe(true);
        expect(api.name).toBe("graph");
      }),
      { numRuns: 1_000 },
    );
  });

  test("property: what is released lies in the list, unless surplus is accepted and told", () => {
    const returned = fc.array(
      fc.oneof(scopeName, fc.constantFrom("openid", "profile", "email", "offline_access"), anyScope),
    );
    fc.assert(
      fc.property(returned, listOfScopes, fc.boolean(), (answer, list, acceptSurplus) => {
        const decision = decide(policyWith({ apis: { graph: list }, acceptSurplus }), byUser());
        expect(decision.ok).toBe(true);
        if (decision.ok) {
          const released = release(decision.value, answer, "web-users");
          const oidc = ["openid", "profile", "email", "offline_access"];
          const bare = answer.map((scope) => (scope.startsWith(`${GRAPH}/`) ? scope.slice(GRAPH.length + 1) : scope));
          const permissions = bare.filter((scope) => !oidc.includes(scope));
          const inside = permissions.every((scope) => list.includes(scope as "User.Read"));
          expect(released.ok).toBe(acceptSurplus || inside);
          expect(released.ok ? released.value : permissions).toEqual(permissions);
        }
      }),
    );
  });
});

describe("release", () => {
  const surplus = (scope: string) => ({ kind: "scope_surplus", entry: "web-users", api: "graph", surplus: [scope] });
  test.each<[string, string, boolean, unknown]>([
    [
      "bare and qualified names, OIDC scopes left out",
      `openid profile email ${GRAPH}/User.Read Mail.Read`,
      false,
      ["User.Read", "Mail.Read"],
    ],
    ["an application token has none", "", false, []],
    ["a surplus is held back and named", "User.Read Files.ReadWrite.All", false, surplus("Files.ReadWrite.All")],
    ["a surplus that is accepted is told", "User.Read Files.ReadWrite.All", true, ["User.Read", "Files.ReadWrite.All"]],
    ["a scope of another resource is surplus", `${ORDERS}/Orders.Read`, false, surplus(`${ORDERS}/Orders.Read`)],
  ])("%s", (_name, answer, acceptSurplus, outcome) => {
    const decision = decide(policyWith({ acceptSurplus }), byUser());
    const released = decision.ok && release(decision.value, answer.split(" ").filter(Boolean), decision.value.entry);
    expect(released).toEqual({ ok: Array.isArray(outcome), [Array.isArray(outcome) ? "value" : "failure"]: outcome });
  });
});
