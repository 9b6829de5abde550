/**
 * `GET|POST /AuthorizationHeader/{api}`, and `/AuthorizationHeaderUnauthenticated/{api}` for applications. GET is
 * wire-compatible with Microsoft's sidecar. A parameter that selects another token than the caller's is refused, not
 * ignored.
 */
import { describe, expect, test } from "vitest";
import { appToken, bearer, CLIENT_IDS, claimsOf, exchangeForm, userToken } from "../support/callers.ts";
import { MINUTE } from "../support/movable-clock.ts";
import { applicationOnlySettings, policyWith, policyWithEntries, withoutApplicationOnly } from "../support/policies.ts";
import type { Answer, Call } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, clock, service } = useWorld();

const GRAPH = "/AuthorizationHeader/graph";
const get = (query = "", token = userToken(world), at = service) =>
  at.call(`${GRAPH}${query}`, { headers: bearer(token) });
const post = (json: unknown, token = userToken(world), at = service) =>
  at.call(GRAPH, { headers: bearer(token), json });
const withStatus = (answer: Answer) => ({ status: answer.status, ...answer.json() });
const lastTokenForm = () => world.tenant.state.requests({ endpoint: "token" }).at(-1)?.form ?? {};
const tokenRequests = () => world.tenant.state.requestCounts()["token"] ?? 0;

describe("GET /AuthorizationHeader/{api} returns", () => {
  test("exactly the documented members, with headers that Graph accepts unchanged", async () => {
    const answer = await get();
    const body = answer.json();
    expect(Object.keys(body).sort()).toEqual([
      "authorizationHeader",
      "expiresIn",
      "expiresOn",
      "headers",
      "scopes",
      "tokenType",
    ]);
    expect(body["headers"]).toEqual({ Authorization: body["authorizationHeader"], "Content-Type": "application/json" });
    expect(body["expiresOn"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const left = (Date.parse(String(body["expiresOn"])) - Date.now()) / 1_000;
    expect(Math.abs(left - Number(body["expiresIn"]))).toBeLessThan(3);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const me = await fetch(`${world.tenant.url}/v1.0/me`, { headers: body["headers"] as Record<string, string> });
    expect(await me.json()).toMatchObject({ userPrincipalName: "alice@contoso.local" });
  });

  test("the Content-Type that the policy sets for the API", async () => {
    const POLICY = policyWith(({ apis }) => {
      Object.assign(apis["orders"] ?? {}, { contentType: "application/vnd.contoso+json" });
    });
    const answer = await world
      .serve({ settings: { POLICY } })
      .call("/AuthorizationHeader/orders", { headers: bearer(userToken(world)) });
    expect(answer.json()["headers"]).toMatchObject({ "Content-Type": "application/vnd.contoso+json" });
  });

  test("a smaller expiresIn each time while the cache serves the same token", async () => {
    const token = userToken(world);
    const first = (await get("", token)).json();
    clock.advance(10 * MINUTE);
    const second = (await get("", token)).json();
    expect(second["authorizationHeader"]).toBe(first["authorizationHeader"]);
    expect(Number(first["expiresIn"]) - Number(second["expiresIn"])).toBeGreaterThanOrEqual(599);
  });
});

describe("the lifetime in the answer", () => {
  const inTenMinutes = () => ({ exp: Math.floor(Date.now() / 1_000) + 600 });

  test("ends with the token that the user presented, in expiresIn and in expires_in", async () => {
    const token = userToken(world, { claims: inTenMinutes() });
    const header = await service.call("/AuthorizationHeader/graph", { headers: bearer(token) });
    const oauth = await service.call("/oauth2/token", { form: exchangeForm(token) });
    for (const seconds of [header.json()["expiresIn"], oauth.json()["expires_in"]]) {
      expect(seconds).toBeGreaterThan(590);
      expect(seconds).toBeLessThanOrEqual(600);
    }
    const until = Date.parse(String(header.json()["expiresOn"])) / 1_000;
    expect(until).toBe(claimsOf(token)["exp"]);
  });

  test("is the token's own if the token is long-lived, because the API challenges it", async () => {
    const cae = world.serve({ settings: { POLICY: policyWithEntries({ "web-users": { cae: true } }) } });
    const token = userToken(world, { claims: { ...inTenMinutes(), xms_cc: ["cp1"] } });
    const header = await cae.call("/AuthorizationHeader/graph", { headers: bearer(token) });
    expect(header.json()["expiresIn"]).toBeGreaterThan(20 * 3_600 - 60);
  });
});

describe("GET /AuthorizationHeader/{api} with the sidecar's parameters", () => {
  test.each([
    ["optionsOverride.Scopes", "?optionsOverride.Scopes=User.Read"],
    ["optionsOverride.scopes in another case", "?OPTIONSOVERRIDE.scopes=User.Read"],
    [
      "a qualified scope, percent-encoded",
      `?optionsOverride.Scopes=${encodeURIComponent("https://graph.microsoft.com/User.Read")}`,
    ],
  ])("accepts %s", async (_title, query) => {
    expect((await get(query)).status).toBe(200);
    expect(
      lastTokenForm()
        ["scope"]?.split(" ")
        .filter((scope) => scope.includes("graph")),
    ).toEqual(["https://graph.microsoft.com/User.Read"]);
  });

  test.each([
    ["a repeated parameter", "?optionsOverride.Scopes=User.Read&optionsOverride.Scopes=Mail.Read"],
    ["a plus sign between scopes", "?optionsOverride.Scopes=User.Read+Mail.Read"],
    ["%20 between scopes", "?optionsOverride.Scopes=User.Read%20Mail.Read"],
  ])("accepts several scopes: %s", async (_title, query) => {
    expect((await get(query)).status).toBe(200);
    expect(lastTokenForm()["scope"]).toContain("Mail.Read");
    expect(lastTokenForm()["scope"]).toContain("User.Read");
  });

  test("calls Entra if ForceRefresh is true, and for no other value", async () => {
    const token = userToken(world);
    const first = await get("", token);
    for (const value of ["false", "1", "yes", ""]) {
      const again = await get(`?optionsOverride.AcquireTokenOptions.ForceRefresh=${value}`, token);
      expect(again.json()["authorizationHeader"]).toBe(first.json()["authorizationHeader"]);
    }
    const forced = await get("?optionsoverride.acquiretokenoptions.forcerefresh=TRUE", token);
    expect(forced.json()["authorizationHeader"]).not.toBe(first.json()["authorizationHeader"]);
    expect(tokenRequests()).toBe(2);
  });

  test("uses a CorrelationId that is a GUID and replaces any other", async () => {
    const guid = "0f0e0d0c-0b0a-4908-8706-050403020100";
    const named = await get(`?optionsOverride.AcquireTokenOptions.CorrelationId=${guid}`);
    expect(named.headers.get("client-request-id")).toBe(guid);
    const wrong = await get("?optionsOverride.AcquireTokenOptions.CorrelationId=hello");
    expect(wrong.headers.get("client-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("ignores unknown parameters and those without effect, as the sidecar does", async () => {
    const query =
      "?optionsOverride.BaseUrl=https://evil.example&optionsOverride.RelativePath=x&optionsOverride.Tenant=evil&foo=bar&optionsOverride.RequestAppToken=false";
    expect((await get(query)).status).toBe(200);
    expect(JSON.stringify(world.tenant.state.requests())).not.toContain("evil");
  });

  test.each([
    ["AgentIdentity=x"],
    ["agentUsername=x"],
    ["AgentUserId=x"],
    ["optionsOverride.AcquireTokenOptions.Tenant=common"],
    ["optionsOverride.AcquireTokenOptions.Tenant=..%2F..%2Fevil"],
    ["optionsOverride.AcquireTokenOptions.FmiPath=x"],
    ["optionsOverride.AcquireTokenOptions.PopPublicKey=x"],
    ["optionsOverride.AcquireTokenOptions.LongRunningWebApiSessionKey=x"],
    ["optionsOverride.AcquireTokenOptions.ManagedIdentity.UserAssignedClientId=x"],
  ])("refuses %s, which would select another token than the caller's", async (query) => {
    expect(withStatus(await get(`?${query}`))).toMatchObject({
      status: 400,
      error: "invalid_request",
      code: "parameter_not_supported",
      action: "fix_request",
    });
    expect(tokenRequests()).toBe(0);
  });

  test.each([
    ["a scope that the policy does not list", "?optionsOverride.Scopes=Mail.Send", 403, "scope_not_allowed"],
    [
      "a scope of another API",
      `?optionsOverride.Scopes=${encodeURIComponent("https://api.contoso.local/orders/Orders.Read")}`,
      403,
      "api_ambiguous",
    ],
    ["a token in the query", "?access_token=eyJ", 400, "token_in_query"],
    ["claims that are not JSON", "?optionsOverride.AcquireTokenOptions.Claims=x", 400, "parameter_invalid"],
    [
      "ForceRefresh twice",
      "?optionsOverride.AcquireTokenOptions.ForceRefresh=true&optionsoverride.acquiretokenoptions.forcerefresh=false",
      400,
      "parameter_repeated",
    ],
    [
      "65 parameters",
      `?${Array.from({ length: 65 }, (_, index) => `p${index}=1`).join("&")}`,
      400,
      "too_many_parameters",
    ],
  ])("refuses %s", async (_title, query, status, code) => {
    expect(withStatus(await get(query))).toMatchObject({ status, code });
    expect(tokenRequests()).toBe(0);
  });

  test.each(["unknown", "Graph", "__proto__", "constructor", "toString", "graph%2F..%2Forders"])(
    "refuses the unknown API %s",
    async (api) => {
      const answer = await service.call(`/AuthorizationHeader/${api}`, { headers: bearer(userToken(world)) });
      expect(withStatus(answer)).toMatchObject({ status: 404, error: "invalid_target", code: "api_unknown" });
    },
  );
});

describe("POST /AuthorizationHeader/{api}", () => {
  test.each([
    ["no body", undefined],
    ["an empty object", {}],
    ["scopes as a list", { scopes: ["User.Read", "Mail.Read"] }],
    ["scopes as a string", { scopes: "User.Read Mail.Read" }],
    ["forceRefresh false", { forceRefresh: false }],
    ["minimumSeconds", { minimumSeconds: 60 }],
    ["OpenID scopes", { scopes: ["openid", "profile", "User.Read"] }],
  ])("accepts %s", async (_title, json) => {
    const answer =
      json === undefined
        ? await service.call(GRAPH, { method: "POST", headers: bearer(userToken(world)) })
        : await post(json);
    expect(answer.status).toBe(200);
  });

  test.each([
    ["an unknown member", { scope: "User.Read" }, 400, "parameter_not_supported"],
    ["the member __proto__", JSON.parse('{"__proto__": {"forceRefresh": true}}'), 400, "parameter_not_supported"],
    ["an array as body", [], 400, "body_not_json"],
    ["null as body", null, 400, "body_not_json"],
    ["a scope that is a number", { scopes: [7] }, 400, "parameter_invalid"],
    ["scopes that are an object", { scopes: { a: 1 } }, 400, "parameter_invalid"],
    ["forceRefresh as a string", { forceRefresh: "true" }, 400, "parameter_invalid"],
    ["negative minimumSeconds", { minimumSeconds: -1 }, 400, "parameter_invalid"],
    ["minimumSeconds of two days", { minimumSeconds: 172_800 }, 400, "parameter_invalid"],
    ["minimumSeconds with a fraction", { minimumSeconds: 1.5 }, 400, "parameter_invalid"],
    ["claims that are a number", { claims: 7 }, 400, "parameter_invalid"],
    ["claims with an unknown member", { claims: { userinfo: {} } }, 400, "parameter_invalid"],
    ["a grant that is not a handle of this service", { grant: "1.AXsomething" }, 400, "handle_malformed"],
    ["a scope that the policy does not list", { scopes: ["Mail.Send"] }, 403, "scope_not_allowed"],
  ])("refuses %s", async (_title, json, status, code) => {
    expect(withStatus(await post(json))).toMatchObject({ status, code });
    expect(tokenRequests()).toBe(0);
  });

  test.each([
    ["optionsOverride.RequestAppToken=true", "Leave it out."],
    ["optionsOverride.Scopes=User.Read", "Did you mean scopes?"],
    ["OptionsOverride.AcquireTokenOptions.Tenant=common", "Leave it out."],
    ["AgentIdentity=x", "Leave it out."],
  ])("refuses ?%s next to a JSON object, because neither may silently win", async (query, remedy) => {
    const headers = bearer(userToken(world));
    const answer = await service.call(`${GRAPH}?${query}`, { headers, json: { forceRefresh: false } });
    const [name = ""] = query.split("=");
    const detail = `The parameter ${name} is not supported here. ${remedy}`;
    expect(withStatus(answer)).toMatchObject({ status: 400, code: "parameter_not_supported", detail });
  });

  test("without a JSON object reads the sidecar's query parameters, as GET does", async () => {
    for (const call of [{ method: "POST" }, { json: {} }]) {
      const query = "?optionsOverride.Scopes=Mail.Send";
      const answer = await service.call(`${GRAPH}${query}`, { headers: bearer(userToken(world)), ...call });
      expect(withStatus(answer)).toMatchObject({ status: 403, code: "scope_not_allowed" });
    }
  });

  test("replaces the cached token if forceRefresh is true", async () => {
    const token = userToken(world);
    const first = await post({}, token);
    const forced = await post({ forceRefresh: true }, token);
    expect(forced.json()["authorizationHeader"]).not.toBe(first.json()["authorizationHeader"]);
    expect((await get("", token)).json()["authorizationHeader"]).toBe(forced.json()["authorizationHeader"]);
  });

  test("renews a token that ends before minimumSeconds, but does not repeat a call that cannot give a longer one", async () => {
    const token = userToken(world, { lifetimeSeconds: 7_200 });
    const first = await post({}, token);
    const life = Number(first.json()["expiresIn"]);
    expect((await post({ minimumSeconds: life - 60 }, token)).json()["authorizationHeader"]).toBe(
      first.json()["authorizationHeader"],
    );
    clock.advance(30 * MINUTE);
    await post({ minimumSeconds: life - 60 }, token);
    expect(tokenRequests()).toBe(2);
    for (let round = 0; round < 30; round++) {
      await post({ minimumSeconds: 86_400 }, token);
    }
    expect(tokenRequests()).toBeLessThanOrEqual(14);
  });
});

describe("GET /AuthorizationHeader/{api} refuses", () => {
  const rows: [title: string, call: () => Call, status: number, code: string, action: string][] = [
    ["a request without credentials", () => ({}), 401, "caller_missing", "new_caller_token"],
    [
      "Basic authentication",
      () => ({ headers: { authorization: "Basic YTpi" } }),
      400,
      "client_secret_not_accepted",
      "fix_request",
    ],
    [
      "two tokens in one header",
      () => ({ headers: { authorization: `Bearer ${userToken(world)},Bearer x` } }),
      400,
      "authorization_malformed",
      "fix_request",
    ],
    [
      "an application, which has no user",
      () => ({ headers: bearer(appToken(world)) }),
      403,
      "user_required",
      "fix_request",
    ],
    [
      "a user that no entry lists",
      () => ({ headers: bearer(userToken(world, { client: "stranger" })) }),
      403,
      "caller_not_listed",
      "ask_admin",
    ],
  ];
  test.each(rows)("%s", async (_title, call, status, code, action) => {
    const answer = await service.call(GRAPH, call());
    expect(withStatus(answer)).toMatchObject({ type: "about:blank", status, code, action });
    expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    expect(answer.headers.has("www-authenticate")).toBe(status === 401);
    expect(tokenRequests()).toBe(0);
  });
});

describe("/AuthorizationHeaderUnauthenticated/{api}", () => {
  const path = "/AuthorizationHeaderUnauthenticated/graph";
  const daemon = () => bearer(appToken(world, { client: "daemon" }));

  test.each([
    ["a request without credentials", () => ({}), 401, "caller_missing"],
    ["a user", () => ({ headers: bearer(userToken(world)) }), 403, "application_required"],
    [
      "an application whose entry lacks client-credentials",
      () => ({ headers: bearer(appToken(world)) }),
      403,
      "flow_not_allowed",
    ],
    [
      "a grant in the body",
      () => ({ headers: daemon(), json: { grant: `gte_${"A".repeat(43)}` } }),
      400,
      "parameter_not_supported",
    ],
    [
      "a scope of another API",
      () => ({ headers: daemon(), json: { scopes: ["https://api.contoso.local/orders/.default"] } }),
      403,
      "api_ambiguous",
    ],
  ] as [string, () => Call, number, string][])("refuses %s", async (_title, call, status, code) => {
    const app = world.serve({ settings: applicationOnlySettings() });
    const answer = await app.call(path, call());
    expect(withStatus(answer)).toMatchObject({ status, code });
    expect(answer.headers.has("www-authenticate")).toBe(status === 401);
    expect(tokenRequests()).toBe(0);
  });

  test("refuses every application unless the app-only registration is configured", async () => {
    const off = world.serve({ settings: withoutApplicationOnly() });
    expect(withStatus(await off.call(path, { headers: daemon() }))).toMatchObject({
      status: 403,
      code: "flow_not_allowed",
    });
  });

  test.each([{}, { json: {} }, { json: { scopes: [".default"] } }])(
    "returns the application's own token for %j",
    async (call) => {
      const app = world.serve({ settings: applicationOnlySettings() });
      const answer = await app.call(path, { headers: daemon(), ...call });
      expect(answer.json()).toMatchObject({ tokenType: "Bearer", scopes: [] });
      const token = String(answer.json()["authorizationHeader"]).slice("Bearer ".length);
      expect(claimsOf(token)).toMatchObject({ appid: CLIENT_IDS.appOnly, idtyp: "app" });
    },
  );

  test("accepts RequestAppToken=true, which changes nothing", async () => {
    const app = world.serve({ settings: applicationOnlySettings() });
    expect((await app.call(`${path}?optionsOverride.RequestAppToken=true`, { headers: daemon() })).status).toBe(200);
  });
});
