/** Policy decisions: each rule that refuses, each way to name an API, and properties that hold for every request. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TokenParameters } from "../../../shared/core/exchange-request.ts";
import { GRAPH_APP_ID } from "../../../shared/core/graph-resource.ts";
import { type DecisionInput, decide } from "../../../shared/policy/decide.ts";
import { entryFor } from "../../../shared/policy/find-entry.ts";
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
  tokenParametersFor,
  userCaller,
  WEB_ID,
} from "./support/policies.ts";

const GRANT = { api: "graph", scopes: ["User.Read"] };
const WITH_CLIENT_CREDENTIALS: Partial<CallerRule> = { flows: ["on-behalf-of", "refresh-token", "client-credentials"] };

function byUser(tokenParameters: Partial<TokenParameters> = {}, changes: Partial<DecisionInput> = {}): DecisionInput {
  const caller = userCaller();
  return {
    caller,
    subject: caller,
    flow: "on-behalf-of",
    tokenParameters: tokenParametersFor(tokenParameters),
    ...changes,
  };
}

function byApplication(
  tokenParameters: Partial<TokenParameters> = {},
  changes: Partial<DecisionInput> = {},
): DecisionInput {
  return {
    caller: applicationCaller(),
    subject: userCaller(),
    flow: "on-behalf-of",
    tokenParameters: tokenParametersFor(tokenParameters),
    ...changes,
  };
}

function byApplicationWithoutSubject(flow: DecisionInput["flow"], changes: Partial<DecisionInput> = {}): DecisionInput {
  return { caller: applicationCaller(), flow, tokenParameters: tokenParametersFor(), ...changes };
}

function refusal(input: DecisionInput, users: Partial<CallerRule> = {}, backend: Partial<CallerRule> = {}) {
  const decision = decide(policyWith(users, backend), input);
  return decision.ok ? "allowed" : decision.failure.reason;
}

function scopes(input: DecisionInput, users: Partial<CallerRule> = {}, backend: Partial<CallerRule> = {}) {
  const decision = decide(policyWith(users, backend), input);
  return decision.ok ? decision.value.scopes : decision.failure.reason;
}

describe("the entry that matches the caller", () => {
  test("a caller without an entry is refused, and the refusal names no entry", () => {
    const stranger = userCaller({ clientId: "ca11e400-0000-4000-8000-0000000000ff" });
    expect(decide(policyWith(), byUser({}, { caller: stranger }))).toEqual({
      ok: false,
      failure: { reason: "caller_not_listed", requested: ["user ca11e400-0000-4000-8000-0000000000ff"] },
    });
  });

  test("a refusal names the entry that matched, the API, and only the scopes that policy lists", () => {
    expect(decide(policyWith(), byUser({ scopes: ["Files.Read"] }))).toEqual({
      ok: false,
      failure: {
        reason: "scope_not_allowed",
        entry: "web-users",
        registration: "default",
        api: "graph",
        scopes: [],
        requested: ["Files.Read"],
        listed: ["User.Read", "Mail.Read"],
      },
    });
  });

  test.each<[string, DecisionInput, readonly string[] | undefined, readonly string[] | undefined]>([
    [
      "the scopes that are not in the list",
      byUser({ scopes: ["User.Read", "A", "B"] }),
      ["A", "B"],
      ["User.Read", "Mail.Read"],
    ],
    [
      "both scopes if .default is next to another",
      byUser({ scopes: [".default", "User.Read"] }),
      [".default", "User.Read"],
      ["User.Read", "Mail.Read"],
    ],
    ["an unknown API", byUser({ audiences: ["graphs"] }), ["graphs"], ["graph"]],
    [
      "an unknown resource",
      byUser({ audiences: [], resources: ["https://x.example"] }),
      ["https://x.example"],
      [GRAPH],
    ],
    ["the unknown resource of a scope", byUser({ scopes: ["https://x.example/A"] }), ["https://x.example/A"], [GRAPH]],
    ["an API that the entry does not have", byUser({ audiences: ["orders"] }), ["orders"], ["graph"]],
    ["two APIs", byUser({ audiences: ["graph", "orders"] }), ["graph", "orders"], ["graph"]],
    ["no API", byUser({ audiences: [] }), undefined, ["graph"]],
    [
      "the flow",
      byApplicationWithoutSubject("client-credentials", {}),
      ["client-credentials"],
      ["on-behalf-of", "refresh-token"],
    ],
  ])("a refusal has what was requested and what the entry lists: %s", (_name, input, requested, listed) => {
    const decision = decide(policyWith(), input);
    expect(decision.ok ? {} : [decision.failure.requested, decision.failure.listed]).toEqual([requested, listed]);
  });

  test("a refusal names the app role of an entry that the caller's client would match with it", () => {
    const decision = decide(policyWith({ role: "Writer" }), byUser());
    expect(decision).toMatchObject({ failure: { reason: "caller_not_listed", listed: ["Writer"] } });
  });

  test("an entry matches only callers of the same kind", () => {
    expect(refusal(byUser({}, { caller: userCaller({ clientId: APP_ID }) }))).toBe("caller_not_listed");
    expect(
      refusal(byApplicationWithoutSubject("client-credentials", { caller: applicationCaller({ clientId: WEB_ID }) })),
    ).toBe("caller_not_listed");
  });

  test("client ids are compared without case", () => {
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

describe("a flow", () => {
  test.each<[string, DecisionInput, Partial<CallerRule>, Partial<CallerRule>, string]>([
    ["is refused if the entry does not list it", byUser(), { flows: ["refresh-token"] }, {}, "flow_not_allowed"],
    [
      "with offline_access is refused without offlineAccess in the entry",
      byUser({ offlineAccess: true }),
      {},
      {},
      "offline_access_not_allowed",
    ],
    [
      "with offline_access is allowed with offlineAccess in the entry",
      byUser({ offlineAccess: true }),
      { offlineAccess: true },
      {},
      "allowed",
    ],
    [
      "that redeems a grant accepts offline_access without offlineAccess in the entry",
      byUser({ offlineAccess: true }, { flow: "refresh-token", given: [GRANT] }),
      {},
      {},
      "allowed",
    ],
    [
      "by which a user redeems its own grant is allowed",
      byUser({}, { flow: "refresh-token", given: [GRANT] }),
      {},
      {},
      "allowed",
    ],
    [
      "by which an application redeems a grant is allowed with unattended",
      byApplicationWithoutSubject("refresh-token", { given: [GRANT] }),
      {},
      {},
      "allowed",
    ],
    [
      "by which an application redeems a grant is refused without unattended",
      byApplicationWithoutSubject("refresh-token", { given: [GRANT] }),
      {},
      { unattended: false },
      "unattended_not_allowed",
    ],
    [
      "that redeems a refresh token of Entra is refused without importRefreshTokens",
      byApplicationWithoutSubject("refresh-token"),
      {},
      {},
      "import_not_allowed",
    ],
    [
      "that redeems a refresh token of Entra is allowed with importRefreshTokens",
      byApplicationWithoutSubject("refresh-token"),
      {},
      { importRefreshTokens: true },
      "allowed",
    ],
    [
      "client-credentials is refused if the entry does not list it",
      byApplicationWithoutSubject("client-credentials"),
      {},
      {},
      "flow_not_allowed",
    ],
    [
      "client-credentials is allowed if the entry lists it",
      byApplicationWithoutSubject("client-credentials"),
      {},
      WITH_CLIENT_CREDENTIALS,
      "allowed",
    ],
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
  ])("authorization-code with redirect URI %j: %s (SEC-6)", (redirectUri, outcome) => {
    const changes = redirectUri === undefined ? {} : { redirectUri };
    expect(refusal(byApplicationWithoutSubject("authorization-code", changes), {}, redirecting)).toBe(outcome);
  });
});

describe("a user's token that an application exchanges", () => {
  test("gets the scopes that are in the caller's list and in the list of the client that obtained it", () => {
    expect(scopes(byApplication())).toEqual(["User.Read"]);
    expect(scopes(byApplication({ scopes: ["Mail.Read"] }))).toBe("scope_not_allowed");
    expect(scopes(byApplication({ scopes: ["Calendars.Read"] }))).toBe("scope_not_allowed");
  });

  test.each<[string, Partial<CallerRule>, Partial<CallerRule>, string]>([
    ["is refused if subjectClients does not list its client", {}, { subjectClients: [] }, "subject_client_not_allowed"],
    [
      "is refused by default if another client obtained it",
      {},
      { subjectClients: undefined as never },
      "subject_client_not_allowed",
    ],
    [
      "is allowed by default if the application's own client obtained it",
      { clientId: APP_ID },
      { subjectClients: undefined as never },
      "allowed",
    ],
    [
      "is refused if the user entry requires a confidential client and its client is public",
      { requireConfidentialClient: true },
      {},
      "subject_client_not_allowed",
    ],
    [
      "is refused if the two scope lists have no common scope",
      { apis: { graph: ["Mail.Read"] } },
      {},
      "api_not_allowed",
    ],
    [
      "is refused for an API that only its client may use",
      {},
      { apis: { orders: ["Orders.Read"] } },
      "api_not_allowed",
    ],
  ])("%s", (_name, users, backend, outcome) => {
    const subject = userCaller({ clientId: users.clientId ?? WEB_ID, confidential: false });
    expect(refusal(byApplication({}, { subject }), users, backend)).toBe(outcome);
  });

  test("is refused if the application's own client obtained it but has no user entry", () => {
    const own = byApplication({}, { subject: userCaller({ clientId: APP_ID }) });
    expect(refusal(own, {}, { subjectClients: undefined as never })).toBe("subject_client_not_allowed");
  });

  test("is allowed with its client id in upper case", () => {
    expect(scopes(byApplication({}, { subject: userCaller({ clientId: WEB_ID.toUpperCase() }) }))).toEqual([
      "User.Read",
    ]);
  });
});

describe("the API of a request (RFC 8707)", () => {
  const twoApis: Partial<CallerRule> = { apis: { graph: ["User.Read"], orders: ["Orders.Read"] } };
  const unnamed: Partial<TokenParameters> = { audiences: [] };

  test.each<[string, Partial<TokenParameters>, string]>([
    ["comes from audience", { audiences: ["orders"] }, "orders"],
    ["comes from an audience that is sent twice", { audiences: ["orders", "orders"] }, "orders"],
    ["comes from resource", { ...unnamed, resources: [ORDERS] }, "orders"],
    ["comes from the resource prefix of a scope", { ...unnamed, scopes: [`${ORDERS}/Orders.Read`] }, "orders"],
    [
      "comes from audience, resource and scope if they agree",
      { audiences: ["orders"], resources: [ORDERS], scopes: [`${ORDERS}/Orders.Read`] },
      "orders",
    ],
    ["comes from audience next to bare scopes", { audiences: ["orders"], scopes: ["Orders.Read"] }, "orders"],
    ["is ambiguous with two audiences", { audiences: ["graph", "orders"] }, "api_ambiguous"],
    ["is ambiguous if audience and resource differ", { audiences: ["graph"], resources: [ORDERS] }, "api_ambiguous"],
    [
      "is ambiguous if audience and the resource prefix of a scope differ",
      { audiences: ["graph"], scopes: [`${ORDERS}/Orders.Read`] },
      "api_ambiguous",
    ],
    [
      "is ambiguous with scopes of two resources (E-93)",
      { ...unnamed, scopes: [`${GRAPH}/User.Read`, `${ORDERS}/Orders.Read`] },
      "api_ambiguous",
    ],
    ["is not named without audience, resource and scope", unnamed, "api_not_named"],
    ["is not named with bare scopes alone", { ...unnamed, scopes: ["User.Read"] }, "api_not_named"],
    ["is unknown with an audience that policy does not have", { audiences: ["mail"] }, "api_unknown"],
    ["is unknown with an audience in another case", { audiences: ["Graph"] }, "api_unknown"],
    ["is unknown with audience constructor", { audiences: ["constructor"] }, "api_unknown"],
    ["is unknown with audience __proto__", { audiences: ["__proto__"] }, "api_unknown"],
    ["is unknown with an empty audience", { audiences: [""] }, "api_unknown"],
    [
      "is unknown with a resource that policy does not have",
      { ...unnamed, resources: ["https://vault.azure.net"] },
      "api_unknown",
    ],
    ["is Graph with a slash at the end of its resource", { ...unnamed, resources: [`${GRAPH}/`] }, "graph"],
    ["is Graph with its resource in another case", { ...unnamed, resources: ["https://GRAPH.microsoft.com"] }, "graph"],
    ["is Graph with its application id", { ...unnamed, resources: [GRAPH_APP_ID.toUpperCase()] }, "graph"],
    [
      "is Graph with a scope in another case",
      { ...unnamed, scopes: ["https://GRAPH.microsoft.com/user.read"] },
      "graph",
    ],
    ["is Graph with a scope and its application id", { ...unnamed, scopes: [`${GRAPH_APP_ID}/User.Read`] }, "graph"],
    [
      "is unknown with an additional slash after another API's resource (SEC-5)",
      { ...unnamed, resources: [`${ORDERS}/`] },
      "api_unknown",
    ],
    [
      "is unknown with another API's resource in another case (SEC-5)",
      { ...unnamed, resources: [ORDERS.toUpperCase()] },
      "api_unknown",
    ],
    [
      "is unknown with a scope of an application id that policy does not have",
      { ...unnamed, scopes: ["499b84ac-1321-427f-aa17-267ca6975798/user_impersonation"] },
      "api_unknown",
    ],
    [
      "is unknown with a resource that has a known one as prefix (SEC-5)",
      { ...unnamed, resources: [`${GRAPH}.evil.example`] },
      "api_unknown",
    ],
    [
      "is unknown with a scope of a resource that policy does not have (SEC-5)",
      { ...unnamed, scopes: ["https://vault.azure.net/.default"] },
      "api_unknown",
    ],
    [
      "is unknown with a scope of a look-alike resource (SEC-5)",
      { ...unnamed, scopes: [`${GRAPH}.evil.example/User.Read`] },
      "api_unknown",
    ],
    ["is unknown, not ambiguous, if one of two audiences is unknown", { audiences: ["graph", "mail"] }, "api_unknown"],
  ])("%s", (_name, tokenParameters, outcome) => {
    const decision = decide(policyWith(twoApis), byUser(tokenParameters));
    expect(decision.ok ? decision.value.api.name : decision.failure.reason).toBe(outcome);
  });

  test("is the only API of the policy if the request names none", () => {
    const raw = JSON.parse(policyText({}, { apis: { graph: ["User.Read"] } }));
    raw.apis = { graph: raw.apis.graph };
    const decision = decide(parsed(JSON.stringify(raw)), byUser(unnamed));
    expect(decision.ok && decision.value.api).toEqual({
      name: "graph",
      resource: GRAPH,
      contentType: "application/json",
      scopeDescriptions: {},
    });
  });

  test("has the content type that policy states", () => {
    const decision = decide(policyWith(twoApis), byUser({ audiences: ["orders"] }));
    expect(decision.ok && decision.value.api.contentType).toBe("application/vnd.contoso+json");
  });

  test("has the longest matching resource if one resource contains another", () => {
    const raw = JSON.parse(policyText(twoApis));
    raw.apis.graph.resource = ORDERS.replace("/orders", "");
    const policy = parsed(JSON.stringify(raw));
    const decision = decide(policy, byUser({ audiences: [], scopes: [`${ORDERS}/Orders.Read`] }));
    expect(decision).toMatchObject({ value: { api: { name: "orders" }, scopes: ["Orders.Read"] } });
  });

  test("is the API of the redeemed grant, and no other API is allowed", () => {
    const given = [{ api: "orders", scopes: ["Orders.Read"] }] as const;
    expect(
      scopes(byApplicationWithoutSubject("refresh-token", { tokenParameters: tokenParametersFor(unnamed), given })),
    ).toEqual(["Orders.Read"]);
    expect(
      scopes(
        byApplicationWithoutSubject("refresh-token", {
          tokenParameters: tokenParametersFor({ audiences: ["graph"] }),
          given,
        }),
      ),
    ).toBe("api_not_allowed");
  });

  test("is unknown if policy no longer has the API of the grant", () => {
    const given = [{ api: "removed", scopes: ["X"] }] as const;
    expect(
      scopes(byApplicationWithoutSubject("refresh-token", { tokenParameters: tokenParametersFor(unnamed), given })),
    ).toBe("api_unknown");
  });

  test("is refused if the caller's entry has no list for it, even if it is named constructor", () => {
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

describe("the scopes of a request", () => {
  test.each<[string, readonly string[] | undefined, readonly string[] | string]>([
    ["are the sorted list of the entry if the request names none", undefined, ["Mail.Read", "User.Read"]],
    ["are the list of the entry if the request has an empty scope", [], ["Mail.Read", "User.Read"]],
    ["are the requested part of the list", ["User.Read"], ["User.Read"]],
    ["contain a scope once that is requested twice", ["User.Read", "User.Read"], ["User.Read"]],
    ["may be requested with their resource prefix", [`${GRAPH}/Mail.Read`], ["Mail.Read"]],
    [
      "contain a scope once that is requested bare and with its resource prefix",
      ["Mail.Read", `${GRAPH}/Mail.Read`],
      ["Mail.Read"],
    ],
    ["are refused if one is not in the list", ["Files.Read"], "scope_not_allowed"],
    ["are refused if only one of two is in the list", ["User.Read", "Files.Read"], "scope_not_allowed"],
    ["are refused if the API has the scope but the caller's list does not", ["Calendars.Read"], "scope_not_allowed"],
    [
      "are requested in any case, in the spelling of the policy",
      ["user.read", "MAIL.READ"],
      ["Mail.Read", "User.Read"],
    ],
    ["contain a scope once that is requested in two cases", ["user.read", "User.Read"], ["User.Read"]],
    ["are refused with an additional slash at the end", ["User.Read/"], "scope_not_allowed"],
    ["may be requested with an additional slash after the resource", [`${GRAPH}//User.Read`], ["User.Read"]],
    ["are refused with two additional slashes after the resource", [`${GRAPH}///User.Read`], "scope_not_allowed"],
    [
      "are the list of the entry with .default if the list does not contain it",
      [".default"],
      ["Mail.Read", "User.Read"],
    ],
    [
      "are the list of the entry with .default and its resource prefix",
      [`${GRAPH}/.default`],
      ["Mail.Read", "User.Read"],
    ],
    [
      "are the list of the entry with .default in another case or with two slashes",
      [".Default", `${GRAPH}//.default`],
      ["Mail.Read", "User.Read"],
    ],
    [
      "are refused with .default next to another scope, as Entra refuses them",
      [".default", "User.Read"],
      "scope_not_allowed",
    ],
  ])("%s", (_name, requested, outcome) => {
    expect(scopes(byUser({ scopes: requested }))).toEqual(outcome);
  });

  test.each<[string, readonly string[], readonly string[] | undefined, readonly string[] | string]>([
    ["is returned if it is the whole list and is requested", [".default"], [".default"], [".default"]],
    ["is returned if it is the whole list and the request names no scope", [".default"], undefined, [".default"]],
    [
      "is left out if the list has other scopes and the request names none",
      ["User.Read", ".default"],
      undefined,
      ["User.Read"],
    ],
    [
      "is returned if the list has other scopes and it is requested",
      ["User.Read", ".default"],
      [".default"],
      [".default"],
    ],
    ["is returned once if it is requested twice", ["User.Read", ".default"], [".default", ".default"], [".default"]],
    [
      "is refused together with another scope",
      ["User.Read", ".default"],
      [".default", "User.Read"],
      "scope_not_allowed",
    ],
  ])(".default %s", (_name, list, requested, outcome) => {
    expect(scopes(byUser({ scopes: requested }), { apis: { graph: [...list] } })).toEqual(outcome);
  });

  test.each<[string, readonly string[] | undefined, readonly string[] | string]>([
    ["without scope", undefined, [".default"]],
    ["with scope .default", [".default"], [".default"]],
    ["with a narrower scope", ["User.Read"], "scope_not_allowed"],
  ])("client-credentials gets .default or is refused: %s", (_name, requested, outcome) => {
    expect(
      scopes(
        byApplicationWithoutSubject("client-credentials", {
          tokenParameters: tokenParametersFor({ scopes: requested }),
        }),
        {},
        WITH_CLIENT_CREDENTIALS,
      ),
    ).toEqual(outcome);
  });

  test("client-credentials is refused for an API without .default in its list", () => {
    const raw = JSON.parse(
      policyText({}, { ...WITH_CLIENT_CREDENTIALS, apis: { graph: ["User.Read"], orders: [".default"] } }),
    );
    raw.apis.orders.scopes.push(".default");
    const decision = decide(parsed(JSON.stringify(raw)), byApplicationWithoutSubject("client-credentials"));
    expect(decision).toMatchObject({ failure: { reason: "scope_not_allowed" } });
  });

  test.each<[string, readonly string[], readonly string[] | undefined, readonly string[] | string]>([
    ["without scope gets the scopes of the grant", ["User.Read"], undefined, ["User.Read"]],
    ["never gets more than was granted (RFC 6749 section 6)", ["User.Read"], ["Calendars.Read"], "scope_not_allowed"],
    ["is refused if policy no longer lists its only scope", ["Mail.Read"], undefined, "scope_not_allowed"],
    ["gets the part that policy still lists", ["User.Read", "Mail.Read"], undefined, ["User.Read"]],
  ])("a redeemed grant %s", (_name, granted, requested, outcome) => {
    const given = [{ api: "graph", scopes: granted }] as const;
    expect(
      scopes(
        byApplicationWithoutSubject("refresh-token", {
          tokenParameters: tokenParametersFor({ scopes: requested }),
          given,
        }),
      ),
    ).toEqual(outcome);
  });
});

describe("the entitlement", () => {
  test("contains exactly what policy decided", () => {
    const users: Partial<CallerRule> = { offlineAccess: true, grantMaxDays: 30, acceptSurplus: true };
    expect(decide(policyWith(users), byUser({ scopes: ["User.Read"], offlineAccess: true }))).toEqual({
      ok: true,
      value: {
        entry: "web-users",
        registration: "default",
        flow: "on-behalf-of",
        api: { name: "graph", resource: GRAPH, contentType: "application/json", scopeDescriptions: {} },
        scopes: ["User.Read"],
        releasable: ["User.Read", "Mail.Read"],
        acceptSurplus: true,
        also: [],
        offlineAccess: true,
        grantMaxDays: 30,
        maxGrantsPerUser: 20,
        keepAliveDays: undefined,
        requireConfirmation: false,
        importRefreshTokens: false,
        cae: false,
        bypassPerMinute: 10,
        missesPerMinute: 120,
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

  test("has the entry's bypassPerMinute instead of the default", () => {
    const decision = decide(policyWith({ limits: { bypassPerMinute: 3 } }), byUser());
    expect(decision.ok && decision.value.bypassPerMinute).toBe(3);
  });

  test("has the entry's missesPerMinute instead of the default", () => {
    const decision = decide(policyWith({ limits: { missesPerMinute: 7 } }), byUser());
    expect(decision.ok && decision.value.missesPerMinute).toBe(7);
  });

  test.each<[DecisionInput["flow"], boolean]>([
    ["on-behalf-of", true],
    ["refresh-token", false],
  ])("offline_access with %s issues a grant: %s", (flow, issued) => {
    const users: Partial<CallerRule> = { offlineAccess: true };
    const decision = decide(policyWith(users), byUser({ offlineAccess: true }, { flow, given: [GRANT] }));
    expect(decision.ok && decision.value.offlineAccess).toBe(issued);
  });
});

const scopeName = fc.constantFrom("User.Read", "Mail.Read", "Calendars.Read", "Files.Read", ".default", "user.read");
const anyScope = fc.oneof(
  scopeName,
  scopeName.map((name) => `${GRAPH}/${name}`),
  scopeName.map((name) => `${ORDERS}/${name}`),
  fc.string(),
);
const anyTokenParameters = fc
  .record({
    audiences: fc.array(fc.constantFrom("graph", "orders", "mail", "__proto__"), { maxLength: 2 }),
    resources: fc.array(fc.constantFrom(GRAPH, ORDERS, "https://other.example"), { maxLength: 2 }),
    scopes: fc.option(fc.array(anyScope, { maxLength: 4 }), { nil: undefined }),
    offlineAccess: fc.boolean(),
  })
  .map(tokenParametersFor);
const listOfScopes = fc.uniqueArray(fc.constantFrom("User.Read", "Mail.Read", "Calendars.Read", ".default"), {
  minLength: 1,
});
const anyInput: fc.Arbitrary<DecisionInput> = fc
  .record({
    tokenParameters: anyTokenParameters,
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
    ...(grant === null ? {} : { given: [grant] as const }),
  }));

function backendWith(list: string[], offlineAccess: boolean): Partial<CallerRule> {
  return { apis: { graph: list }, offlineAccess, ...(list.includes(".default") ? WITH_CLIENT_CREDENTIALS : {}) };
}

describe("any request", () => {
  test("property: decide never throws, and allowed scopes were requested, are listed and were granted", () => {
    fc.assert(
      fc.property(anyInput, listOfScopes, listOfScopes, fc.boolean(), (input, userList, backendList, offlineAccess) => {
        const policy = policyWith(
          { apis: { graph: userList }, offlineAccess },
          backendWith(backendList, offlineAccess),
        );
        const decision = decide(policy, input);
        if (!decision.ok) {
          expect(typeof decision.failure.reason).toBe("string");
          return;
        }
        const { scopes: given, releasable, api } = decision.value;
        const list = input.caller.kind === "user" ? userList : backendList;
        const lower = (texts: readonly string[]) => texts.map((text) => text.toLowerCase());
        const bare = lower(input.tokenParameters.scopes ?? []).map((scope) => scope.replace(/^https:\/\/[^/]+\/+/, ""));
        expect(given.length).toBeGreaterThan(0);
        expect(list).toEqual(expect.arrayContaining([...given]));
        expect(list).toEqual(expect.arrayContaining([...releasable]));
        expect(releasable).toEqual(expect.arrayContaining([...given]));
        const isDefault = bare.every((scope) => scope === ".default") && !given.includes(".default");
        expect(bare.length === 0 || isDefault || lower(given).every((scope) => bare.includes(scope))).toBe(true);
        const before = input.given?.[0].scopes;
        expect(before === undefined || lower(given).every((scope) => lower(before).includes(scope))).toBe(true);
        expect(given.length === 1 || !given.includes(".default")).toBe(true);
        expect(api.name).toBe("graph");
      }),
      { numRuns: 1_000 },
    );
  });

  test("property: released scopes are in the list unless the entry accepts surplus", () => {
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
          const permissions = bare
            .filter((scope) => !oidc.includes(scope.toLowerCase()))
            .map((scope) => list.find((one) => one.toLowerCase() === scope.toLowerCase()) ?? scope);
          const inside = permissions.every((scope) => list.includes(scope as "User.Read"));
          expect(released.ok).toBe(acceptSurplus || inside);
          expect(released.ok ? released.value : permissions).toEqual(permissions);
        }
      }),
    );
  });
});

describe("an API other than Graph", () => {
  const own = { apis: { orders: ["Orders.Read"] } };

  test("compares scopes exactly", () => {
    expect(scopes(byUser({ audiences: ["orders"], scopes: ["orders.read"] }), own)).toBe("scope_not_allowed");
    const decision = decide(policyWith(own), byUser({ audiences: ["orders"] }));
    const released = decision.ok && release(decision.value, ["orders.read"], "web-users");
    expect(released).toMatchObject({ ok: false, failure: { surplus: ["orders.read"] } });
  });

  test("may be named by its application id, in any case", () => {
    const id = "499b84ac-1321-427f-aa17-267ca6975798";
    const policy = parsed(policyText(own).replace(ORDERS, id));
    for (const scope of [`${id}/Orders.Read`, `${id.toUpperCase()}/Orders.Read`]) {
      const decision = decide(policy, byUser({ audiences: [], scopes: [scope] }));
      expect(decision).toMatchObject({ value: { api: { name: "orders", resource: id }, scopes: ["Orders.Read"] } });
      expect(decision.ok && release(decision.value, [scope], "web-users")).toEqual({
        ok: true,
        value: ["Orders.Read"],
      });
    }
  });
});

test("a grant for Graph keeps its scopes when the policy now spells them in another case", () => {
  const given = [{ api: "graph", scopes: ["user.read", "CALENDARS.READ"] }] as const;
  const tokenParameters = tokenParametersFor({ scopes: ["user.READ"] });
  const decision = decide(policyWith(), byApplicationWithoutSubject("refresh-token", { tokenParameters, given }));
  expect(decision).toMatchObject({ value: { scopes: ["User.Read"], releasable: ["User.Read", "Calendars.Read"] } });
});

describe("release", () => {
  test.each([
    ["user.read MAIL.READ", ["User.Read", "Mail.Read"]],
    [
      `${GRAPH.toUpperCase()}/user.read 00000003-0000-0000-c000-000000000000/Mail.Read OpenID`,
      ["User.Read", "Mail.Read"],
    ],
  ])("scopes of Graph in another case are released in the spelling of the policy: %s", (answer, value) => {
    const decision = decide(policyWith(), byUser());
    expect(decision.ok && release(decision.value, answer.split(" "), "web-users")).toEqual({ ok: true, value });
  });

  const surplus = (scope: string) => ({ kind: "scope_surplus", entry: "web-users", api: "graph", surplus: [scope] });
  test.each<[string, string, boolean, unknown]>([
    [
      "bare and prefixed names are released without OpenID Connect scopes",
      `openid profile email ${GRAPH}/User.Read Mail.Read`,
      false,
      ["User.Read", "Mail.Read"],
    ],
    ["an application token has no scopes", "", false, []],
    ["a surplus scope is refused and named", "User.Read Files.ReadWrite.All", false, surplus("Files.ReadWrite.All")],
    [
      "an accepted surplus scope is released and listed",
      "User.Read Files.ReadWrite.All",
      true,
      ["User.Read", "Files.ReadWrite.All"],
    ],
    [
      "a scope of another resource is a surplus scope",
      `${ORDERS}/Orders.Read`,
      false,
      surplus(`${ORDERS}/Orders.Read`),
    ],
  ])("%s", (_name, answer, acceptSurplus, outcome) => {
    const decision = decide(policyWith({ acceptSurplus }), byUser());
    const released = decision.ok && release(decision.value, answer.split(" ").filter(Boolean), decision.value.entry);
    expect(released).toEqual({ ok: Array.isArray(outcome), [Array.isArray(outcome) ? "value" : "failure"]: outcome });
  });
});
