/**
 * Confusions between the registrations of one deployment. Entra exchanges a token, a code and a refresh token only for the
 * registration that issued it, and a registration with fewer rights must give no access to one with more. Each test
 * presents something of one registration where the other one is expected.
 */
import { afterEach, describe, expect, test } from "vitest";
import { type Browser, hiddenFields, leadsTo, newBrowser } from "../sign-in/support/browser.ts";
import {
  allowedHandle,
  answerConfirmation,
  authorizePath,
  callbackPath,
  codeForClient,
  codeForm,
  createLink,
  entraCode,
  entraRequest,
  type LinkWithHandle,
  newPkce,
  parForm,
  push,
  signInByLink,
} from "../sign-in/support/sign-in.ts";
import {
  appToken,
  bearer,
  CLIENT_IDS,
  clientAssertion,
  exchangeForm,
  jwtBearerForm,
  USER_IDS,
  userToken,
} from "../support/callers.ts";
import { policyWith, policyWithEntries } from "../support/policies.ts";
import type { Answer, Call, ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, clock, service, restart } = useWorld({ newServiceForEachTest: true });
afterEach(() => {
  for (const clientId of [CLIENT_IDS.service, CLIENT_IDS.narrow]) {
    world.tenant.state.setOwnKey({ clientId, own: false });
  }
});

const WIDE_SCOPE = `api://${CLIENT_IDS.service}/access_as_user`;
const NARROW_SCOPE = `api://${CLIENT_IDS.narrow}/access_as_user`;
const NARROW_APP_SCOPE = `api://${CLIENT_IDS.narrow}/.default`;
const ROLES = { roles: ["Exchange.Call"] };

/** Every entry of these callers belongs to `narrow` and may have User.Read only. */
const IN_NARROW = { registration: "narrow", apis: { graph: ["User.Read"] } };
const MOVED = policyWithEntries({ "web-users": IN_NARROW, "web-backend": IN_NARROW, daemon: IN_NARROW });
/** Without the registration `narrow` and its entry. */
const WITHOUT_NARROW = policyWith((policy) => {
  policy.callers = policy.callers.filter(({ registration }) => registration === undefined);
});
/** The command line has an entry in each registration. */
const IN_BOTH = policyWith(({ callers }) => {
  const cli = callers.find(({ name }) => name === "cli-users");
  callers.push({ ...cli, ...IN_NARROW, name: "cli-narrow" });
});

const wideUser = (client = "web") => userToken(world, { client });
const narrowUser = (client = "web") => userToken(world, { client, resource: "narrow" });
const wideApp = (client = "web") => appToken(world, { client });
const narrowApp = (client = "web") => appToken(world, { client, resource: "narrow", claims: ROLES });

const header = (token: string, at: ServiceUnderTest = service) =>
  at.call("/AuthorizationHeader/graph", { headers: bearer(token) });
const withStatus = (answer: Answer) => ({ status: answer.status, ...answer.json() });

const scopesOf = (answer: Answer) => (answer.json()["scopes"] as string[]).toSorted();

/** The other instance has the same tenant and grant table, and a policy in which the entries have moved. */
const moved = () => service.another({ settings: { POLICY: MOVED } });

/** Entra was not called, and nothing in the answer is a token, a handle or a code. */
function expectNothingLeft({ text, headers }: Answer): void {
  expect(world.tenant.state.requests({ endpoint: "token" })).toEqual([]);
  expect(text).not.toMatch(/eyJ|gte_|access_token|authorizationHeader/);
  expect(headers.get("location") ?? "").not.toContain("code=");
}

function expectPage(answer: Answer, at: ServiceUnderTest, event: Record<string, unknown> = {}): void {
  expect(answer.status).toBe(400);
  expect(answer.text).toContain("This sign-in is no longer valid");
  expect(at.lastEvent()).toMatchObject({ code: "signin_registration_changed", outcome: "refused", ...event });
  expectNothingLeft(answer);
}

describe("a caller's token for the other registration", () => {
  const grant = `gte_${"A".repeat(43)}`;
  const rows: readonly [string, string, () => Call, 401, string][] = [
    [
      "a user on the header route",
      "/AuthorizationHeader/graph",
      () => ({ headers: bearer(wideUser()) }),
      401,
      NARROW_SCOPE,
    ],
    ["a user's own assertion", "/oauth2/token", () => ({ form: jwtBearerForm(wideUser()) }), 401, NARROW_SCOPE],
    ["a user's own subject_token", "/oauth2/token", () => ({ form: exchangeForm(wideUser()) }), 401, NARROW_SCOPE],
    [
      "an application with a user's token for the right registration",
      "/oauth2/token",
      () => ({ headers: bearer(wideApp()), form: exchangeForm(narrowUser()) }),
      401,
      NARROW_APP_SCOPE,
    ],
    [
      "a client assertion",
      "/oauth2/token",
      () => ({ form: exchangeForm(narrowUser(), clientAssertion(wideApp())) }),
      401,
      NARROW_APP_SCOPE,
    ],
    [
      "an application with a grant",
      "/AuthorizationHeader/graph",
      () => ({ headers: bearer(wideApp("daemon")), json: { grant } }),
      401,
      NARROW_APP_SCOPE,
    ],
    [
      "a pushed request",
      "/oauth2/par",
      () => ({ headers: bearer(wideApp()), form: parForm(newPkce(), { scope: "User.Read" }) }),
      401,
      NARROW_APP_SCOPE,
    ],
    [
      "a sign-in link",
      "/signin/links",
      () => ({ headers: bearer(wideApp("daemon")), json: { api: "graph" } }),
      401,
      NARROW_APP_SCOPE,
    ],
  ];

  test.each(rows)("%s is refused with the scope to request", async (_what, path, call, status, scope) => {
    const at = moved();
    const answer = await at.call(path, call());
    expect(withStatus(answer)).toMatchObject({
      status,
      code: "token_for_other_registration",
      action: "new_caller_token",
    });
    expect(answer.headers.get("www-authenticate")).toContain(`error="invalid_token"`);
    expect(answer.headers.get("www-authenticate")).toContain(`scope="${scope}"`);
    expectNothingLeft(answer);
    expect(at.lastEvent()).toMatchObject({ reason: "token_for_other_registration", registration: "narrow" });
  });

  test("of the registration with fewer rights is refused by an entry of the default one", async () => {
    const answer = await header(narrowUser());
    expect(withStatus(answer)).toMatchObject({ status: 401, code: "token_for_other_registration" });
    expect(answer.headers.get("www-authenticate")).toContain(`scope="${WIDE_SCOPE}"`);
    expectNothingLeft(answer);
    expect(service.lastEvent()).toMatchObject({ policyEntry: "web-users", registration: "default" });
  });

  test("names its own registration's scope if it is only expired", async () => {
    const token = narrowUser("intranet");
    clock.advance(2 * 60 * 60_000);
    const answer = await header(token);
    expect(withStatus(answer)).toMatchObject({ status: 401, code: "token_expired" });
    expect(answer.headers.get("www-authenticate")).toContain(`scope="${NARROW_SCOPE}"`);
  });

  test.each([
    ["user", () => wideUser("stranger"), () => narrowUser("stranger")],
    [
      "application",
      () => wideApp("stranger"),
      () => appToken(world, { client: "public", resource: "narrow", claims: ROLES }),
    ],
  ] as const)("tells a %s without an entry nothing", async (kind, wide, narrow) => {
    const path = kind === "user" ? "/AuthorizationHeader/graph" : "/AuthorizationHeaderUnauthenticated/graph";
    const wideToken = kind === "user" ? wide() : appToken(world, { client: "stranger", claims: ROLES });
    for (const token of [wideToken, narrow()]) {
      const answer = await service.call(path, { headers: bearer(token) });
      expect(withStatus(answer)).toMatchObject({ status: 403, code: "caller_not_listed" });
      expect(answer.headers.has("www-authenticate")).toBe(false);
      expect(answer.text).not.toMatch(/api:\/\/|narrow/);
      expectNothingLeft(answer);
    }
  });
});

describe("a subject's token for the other registration", () => {
  test.each([
    ["subject_token", exchangeForm, "invalid_request"],
    ["assertion", jwtBearerForm, "invalid_grant"],
  ] as const)("as %s is refused, although the caller's token is right", async (_as, form, error) => {
    for (const [at, caller, subject, scope] of [
      [service, wideApp(), narrowUser(), WIDE_SCOPE],
      [moved(), narrowApp(), wideUser(), NARROW_SCOPE],
    ] as const) {
      const answer = await at.call("/oauth2/token", { headers: bearer(caller), form: form(subject) });
      expect(withStatus(answer)).toMatchObject({ status: 400, error, code: "subject_for_other_registration" });
      expect(answer.text).toContain(scope);
      expectNothingLeft(answer);
    }
  });

  test("is not a user's own token with another audience", async () => {
    const call = { headers: bearer(wideUser("cli")), form: exchangeForm(narrowUser("cli")) };
    const answer = await service.another({ settings: { POLICY: IN_BOTH } }).call("/oauth2/token", call);
    expect(withStatus(answer)).toMatchObject({ status: 400, code: "subject_not_the_caller" });
    expectNothingLeft(answer);
  });
});

describe("after the entry moved to another registration", () => {
  async function userGrant(): Promise<string> {
    const form = exchangeForm(wideUser(), { scope: "User.Read offline_access" });
    return String((await service.call("/oauth2/token", { form })).json()["refresh_token"]);
  }

  test("a grant of a user is refused for the new token, by both routes, and its owner can still end it", async () => {
    const grant = await userGrant();
    world.tenant.state.clearLog();
    const at = moved();
    const headers = bearer(narrowUser());
    const form = { grant_type: "refresh_token", refresh_token: grant };
    const byToken = await at.call("/oauth2/token", { headers, form });
    expect(withStatus(byToken)).toMatchObject({
      status: 400,
      error: "invalid_grant",
      code: "grant_for_other_registration",
      action: "sign_in",
    });
    expect(at.lastEvent()).toMatchObject({ reason: "other_registration", grantId: expect.any(String) });
    expectNothingLeft(byToken);
    const byHeader = await at.call("/AuthorizationHeader/graph", { headers, json: { grant } });
    expect(withStatus(byHeader)).toMatchObject({ status: 403, code: "grant_for_other_registration" });
    expectNothingLeft(byHeader);
    expect((await at.call("/oauth2/revoke", { headers, form: { token: grant } })).json()).toEqual({ revoked: true });
  });

  test("a grant of an application is refused without a link, because nothing moves it to the new registration", async () => {
    const grant = await allowedHandle(service);
    world.tenant.state.clearLog();
    const json = { grant };
    const at = moved();
    const wrong = await at.call("/AuthorizationHeader/graph", { headers: bearer(wideApp("daemon")), json });
    expect(withStatus(wrong)).toMatchObject({ status: 401, code: "token_for_other_registration" });
    expectNothingLeft(wrong);
    const ended = await at.call("/AuthorizationHeader/graph", { headers: bearer(narrowApp("daemon")), json });
    expect(withStatus(ended)).toMatchObject({ status: 403, code: "grant_for_other_registration", action: "sign_in" });
    expect(world.tenant.state.requests({ endpoint: "token" })).toEqual([]);
    expect(ended.json()).not.toHaveProperty("signin_url");
    expect(
      (await service.call("/AuthorizationHeader/graph", { headers: bearer(wideApp("daemon")), json })).status,
    ).toBe(200);
  });

  test("a grant of another caller is still unknown, whatever its registration", async () => {
    const grant = await userGrant();
    world.tenant.state.clearLog();
    const headers = bearer(userToken(world, { user: "bob", resource: "narrow" }));
    const answer = await moved().call("/AuthorizationHeader/graph", { headers, json: { grant } });
    expect(withStatus(answer)).toMatchObject({ status: 403, code: "grant_invalid" });
    expectNothingLeft(answer);
  });

  test("an authorization code is refused with the new token, and works once with the old one", async () => {
    const pkce = newPkce();
    const { code } = await codeForClient(service, newBrowser(service), { pkce });
    const redeemAt = (at: ServiceUnderTest, token: string) =>
      at.call("/oauth2/token", { headers: bearer(token), form: codeForm(code, pkce) });
    const refused = await redeemAt(moved(), narrowApp());
    expect(withStatus(refused)).toMatchObject({
      status: 400,
      error: "invalid_grant",
      code: "code_for_other_registration",
      action: "sign_in",
    });
    expectNothingLeft(refused);
    expect((await redeemAt(service, wideApp())).status).toBe(200);
  });

  test("a sign-in link leads nowhere", async () => {
    const link = await createLink(service);
    const at = moved();
    expectPage(await newBrowser(at).open(link), at, { policyEntry: "daemon", registration: "default" });
  });

  test("a pushed request leads nowhere", async () => {
    const path = authorizePath(await push(service, newPkce()));
    const at = moved();
    const browser = newBrowser(at);
    expectPage(await browser.open(path), at);
    expect(browser.jar.size).toBe(0);
  });

  test.each([
    ["of a link", async () => createLink(service)],
    ["of a pushed request", async () => authorizePath(await push(service, newPkce()))],
    [
      "of a pushed request with offline_access",
      async () => authorizePath(await push(service, newPkce(), { scope: "User.Read offline_access" })),
    ],
  ])("the cookie of a sign-in %s is refused, and Entra's code is not redeemed", async (_of, start) => {
    const browser = newBrowser(service);
    const request = entraRequest(await browser.open(await start()));
    const at = moved();
    const { cookies } = withCookies(browser);
    const path = callbackPath({ code: entraCode(service, request), state: request["state"] ?? "" });
    const answer = await at.call(path, { headers: { cookie: cookies } });
    expectPage(answer, at);
    expect(answer.cookies.every(({ maxAge }) => maxAge === 0)).toBe(true);
  });

  test.each([
    ["of a link", async (browser: Browser) => signInByLink(service, browser)],
    [
      "of a code",
      async (browser: Browser) => {
        const pushed = await push(service, newPkce(), { scope: "User.Read offline_access" });
        const request = entraRequest(await browser.open(authorizePath(pushed)));
        return browser.open(callbackPath({ code: entraCode(service, request), state: request["state"] ?? "" }));
      },
    ],
  ])("the cookie of a confirmation %s is refused, on the page and in the form", async (_of, signIn) => {
    const browser = newBrowser(service);
    const back = await signIn(browser);
    const location = back.headers.get("location") ?? "";
    const fields = hiddenFields((await browser.open(location)).text);
    expect(fields["token"]).toMatch(/./);
    world.tenant.state.clearLog();
    const at = moved();
    const { cookies } = withCookies(browser);
    expectPage(await at.call(location, { headers: { cookie: cookies } }), at);
    const headers = { "sec-fetch-site": "same-origin", origin: "null", cookie: cookies };
    expectPage(await at.call("/signin/confirm", { form: { ...fields, decision: "allow" }, headers }), at);
  });

  test("of a blueprint's agents, an agent's link and the cookie of its sign-in are refused", async () => {
    const under = (registration: Record<string, unknown>) =>
      service.another({
        settings: {
          POLICY: policyWith(({ callers }) => {
            const daemon = callers.find(({ name }) => name === "daemon");
            const { clientId: _, ...entry } = { ...daemon };
            callers.push({ ...entry, name: "agents", blueprint: CLIENT_IDS.agentBlueprint, ...registration });
          }),
        },
      });
    const before = under({});
    const { link } = await requestLinkAs(before, appToken(world, { client: "mailAgent" }));
    const browser = newBrowser(before);
    const request = entraRequest(await browser.open(link));
    const after = under(IN_NARROW);
    expectPage(await newBrowser(after).open(link), after, { policyEntry: "agents" });
    const path = callbackPath({ code: entraCode(before, request), state: request["state"] ?? "" });
    expectPage(await after.call(path, { headers: { cookie: withCookies(browser).cookies } }), after);
  });

  test("and of an entry that names another blueprint now, the link and the confirmation of an agent are refused", async () => {
    const of = (blueprint: string) =>
      service.another({
        settings: {
          POLICY: policyWith(({ callers }) => {
            const daemon = callers.find(({ name }) => name === "daemon");
            const { clientId: _, ...entry } = { ...daemon };
            callers.push({ ...entry, name: "agents", blueprint });
          }),
        },
      });
    const before = of(CLIENT_IDS.agentBlueprint);
    const { link } = await requestLinkAs(before, appToken(world, { client: "mailAgent" }));
    const browser = newBrowser(before);
    const request = entraRequest(await browser.open(link));
    const path = callbackPath({ code: entraCode(before, request), state: request["state"] ?? "" });
    const signInCookies = withCookies(browser).cookies;
    const location = (await browser.open(path)).headers.get("location") ?? "";
    const fields = hiddenFields((await browser.open(location)).text);
    expect(fields["token"]).toMatch(/./);
    const after = of("b1ee9417-0000-4000-8000-000000000001");
    const refused = (answer: Answer) => {
      expect(answer.status).toBe(403);
      expect(after.lastEvent()).toMatchObject({ code: "caller_not_listed", policyEntry: "agents" });
    };
    refused(await newBrowser(after).open(link));
    refused(await after.call(path, { headers: { cookie: signInCookies } }));
    const cookie = withCookies(browser).cookies;
    refused(await after.call(location, { headers: { cookie } }));
    const headers = { "sec-fetch-site": "same-origin", origin: "null", cookie };
    refused(await after.call("/signin/confirm", { form: { ...fields, decision: "allow" }, headers }));
  });

  test("and the old registration is gone, a link of it leads nowhere", async () => {
    const at = moved();
    const { link } = await requestLinkAs(at, narrowApp("daemon"));
    const without = service.another({ settings: { POLICY: WITHOUT_NARROW } });
    expectPage(await newBrowser(without).open(link), without);
    const valid = await newBrowser(at).open(link);
    expect(entraRequest(valid)["client_id"]).toBe(CLIENT_IDS.narrow);
  });

  test("a sign-in under the new registration works, from the link to the token", async () => {
    const at = moved();
    const browser = newBrowser(at);
    const { link, handle: grant } = await requestLinkAs(at, narrowApp("daemon"));
    await answerConfirmation(browser, await signInByLink(at, browser, { link }));
    const headers = bearer(narrowApp("daemon"));
    const redeemed = await at.call("/AuthorizationHeader/graph", { headers, json: { grant } });
    expect(withStatus(redeemed)).toMatchObject({ status: 200, scopes: ["User.Read"] });
    const clients = world.tenant.state.requests({ endpoint: "token" }).map(({ form }) => form?.["client_id"]);
    expect(new Set(clients)).toEqual(new Set([CLIENT_IDS.narrow]));
    const pkce = newPkce();
    const pushed = await at.call("/oauth2/par", {
      headers: bearer(narrowApp()),
      form: parForm(pkce, { scope: "User.Read" }),
    });
    const departure = await browser.open(authorizePath(String(pushed.json()["request_uri"])));
    expect(entraRequest(departure)["client_id"]).toBe(CLIENT_IDS.narrow);
    expect(leadsTo(departure.text)).toBe("none:");
  });

  test("an operator's link for an entry leads to the registration of that entry", async () => {
    const at = moved();
    const headers = bearer(userToken(world, { user: "erin" }));
    const created = await at.call("/signin/links", {
      headers,
      json: { api: "graph", caller: "daemon", expectedUser: USER_IDS.alice },
    });
    const departure = await newBrowser(at).open(new URL(String(created.json()["url"])).pathname);
    expect(entraRequest(departure)["client_id"]).toBe(CLIENT_IDS.narrow);
    expect(at.lastEvent()).toMatchObject({ policyEntry: "daemon", registration: "narrow" });
  });

  async function requestLinkAs(at: ServiceUnderTest, token: string): Promise<LinkWithHandle> {
    const json = { api: "graph", expectedUser: USER_IDS.alice };
    const created = await at.call("/signin/links", { headers: bearer(token), json });
    return { link: new URL(String(created.json()["url"])).pathname, handle: String(created.json()["grant"]) };
  }

  function withCookies({ jar }: Browser): { readonly cookies: string } {
    return { cookies: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") };
  }
});

describe("what is remembered for one registration does not apply to another", () => {
  const inBoth = () => service.another({ settings: { POLICY: IN_BOTH } });

  test("a cached token: the same user, client and API get the scopes of each registration", async () => {
    const at = inBoth();
    const wide = wideUser("cli");
    const narrow = narrowUser("cli");
    for (const cache of ["miss", "hit"]) {
      expect(scopesOf(await header(wide, at))).toEqual(["Mail.Read", "User.Read"]);
      expect(at.lastEvent()).toMatchObject({ registration: "default", policyEntry: "cli-users", cache });
      expect(scopesOf(await header(narrow, at))).toEqual(["User.Read"]);
      expect(at.lastEvent()).toMatchObject({ registration: "narrow", policyEntry: "cli-narrow", cache });
    }
    const asked = await at.call("/AuthorizationHeader/graph?optionsOverride.Scopes=Mail.Read", {
      headers: bearer(narrowUser("cli")),
    });
    expect(withStatus(asked)).toMatchObject({ status: 403, code: "scope_not_allowed" });
  });

  test("a wait that Entra imposed", async () => {
    const at = inBoth();
    world.tenant.state.order({ endpoint: "token", client: "narrow", throttleSeconds: 60 });
    expect(withStatus(await header(narrowUser("cli"), at))).toMatchObject({ status: 429, code: "throttled" });
    expect((await header(wideUser("cli"), at)).status).toBe(200);
    expect((await header(narrowUser("cli"), at)).status).toBe(429);
    expect(world.tenant.state.requests({ endpoint: "token", client: CLIENT_IDS.narrow })).toHaveLength(1);
  });

  test("a request budget", async () => {
    const at = inBoth();
    const forced = (token: string) =>
      at.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { forceRefresh: true } });
    const statuses: number[] = [];
    for (let count = 0; count < 11; count += 1) statuses.push((await forced(narrowUser("cli"))).status);
    expect(statuses.at(-1)).toBe(429);
    expect((await forced(wideUser("cli"))).status).toBe(200);
  });

  test("a refusal of Entra", async () => {
    const at = inBoth();
    world.tenant.state.order({ endpoint: "token", client: "narrow", aadsts: 50076, times: 0 });
    const refused: string[] = [];
    for (let count = 0; count < 12; count += 1) {
      refused.push(String((await header(narrowUser("cli"), at)).json()["code"]));
    }
    expect(new Set(refused)).toEqual(new Set(["interaction_required"]));
    expect((await header(wideUser("cli"), at)).status).toBe(200);
  });
});

describe("a credential that fails", () => {
  test("at Entra blocks only its registration, and logs and readiness name it", async () => {
    world.tenant.state.expireSecrets({ app: "narrow" });
    const refused = await header(narrowUser("intranet"));
    expect(withStatus(refused)).toMatchObject({ status: 500, code: "credential_refused", error_codes: [7000222] });
    expect(refused.text).not.toContain("eyJ");
    expect((await header(wideUser())).status).toBe(200);
    expect(service.logs.join("\n")).toMatch(/"event":"credential","registration":"narrow","name":"credential_refused"/);
    const ready = await service.call("/ready", { headers: bearer(userToken(world, { user: "erin" })) });
    expect(ready.status).toBe(503);
    expect(ready.json()).toMatchObject({
      checks: { credential: { state: "ready" }, registrationCredentials: { narrow: { state: "refused" } } },
    });
    world.tenant.state.rotateSecret({ app: "narrow", keepOld: false });
    clock.advance(60_000);
    expect((await header(narrowUser("intranet"))).status).toBe(200);
  });

  test("in the vault blocks only its registration", async () => {
    world.tenant.state.order({ endpoint: "vault", path: "narrow-client-secret", status: 403, body: "", times: 0 });
    restart();
    const refused = await header(narrowUser("intranet"));
    expect(refused.status).toBeGreaterThanOrEqual(500);
    expect(refused.text).not.toContain("eyJ");
    expect((await header(wideUser())).status).toBe(200);
  });
});

describe("signing keys of one registration (?appid=)", () => {
  /** The registration of each read; empty: the tenant's key set. */
  const keyReads = () => world.tenant.state.requests({ endpoint: "jwks" }).map(({ query }) => query["appid"] ?? "");
  // Entra exchanges no token that is signed with such a key, so the route that exchanges nothing shows what is accepted.
  const validate = (token: string) => service.call("/Validate", { headers: bearer(token) });

  test("verify its tokens, and only its key set is read besides the tenant's", async () => {
    world.tenant.state.setOwnKey({ clientId: CLIENT_IDS.narrow, own: true });
    expect((await validate(narrowUser("intranet"))).status).toBe(200);
    expect(keyReads()).toEqual(["", CLIENT_IDS.narrow]);
  });

  test("verify no token of another registration, because the owner of one could sign any claims", async () => {
    world.tenant.state.setOwnKey({ clientId: CLIENT_IDS.narrow, own: true });
    const narrow = narrowUser("intranet");
    expect((await validate(narrow)).status).toBe(200);
    const key = String(JSON.parse(Buffer.from(narrow.split(".")[0] ?? "", "base64url").toString("utf8"))["kid"]);
    for (const forged of [
      userToken(world, { key, user: "erin" }),
      appToken(world, { key, claims: ROLES }),
      userToken(world, { key, claims: { aud: CLIENT_IDS.orders } }),
    ]) {
      const answer = await validate(forged);
      expect(withStatus(answer)).toMatchObject({ status: 401, code: "caller_refused" });
      expectNothingLeft(answer);
    }
  });

  test("of invented tokens are read once for each key set and cooldown, and once more at first", async () => {
    expect((await header(wideUser())).status).toBe(200);
    world.tenant.state.clearLog();
    for (let count = 0; count < 20; count += 1) {
      for (const resource of ["service", "narrow"]) {
        const token = userToken(world, { resource, key: "unpublished", header: { kid: `invented-${count}` } });
        expect((await validate(token)).status).toBe(401);
      }
    }
    const { service: wide, narrow } = CLIENT_IDS;
    expect(keyReads().sort()).toEqual(["", wide, wide, narrow, narrow].sort());
  });
});

describe("v1 audiences", () => {
  const V1 = { resource: "narrow" } as const;
  afterEach(() => world.tenant.state.changeRegistration({ app: "narrow", tokenVersion: 2 }));

  test("belong to the registration that owns them, in any case", async () => {
    world.tenant.state.changeRegistration({ app: "narrow", tokenVersion: 1 });
    const accepted = `api://${CLIENT_IDS.narrow}`;
    const at = service.another({ settings: { V1_TOKEN_AUDIENCES: accepted } });
    expect(withStatus(await header(userToken(world, { ...V1, client: "intranet" }), at))).toMatchObject({
      status: 200,
      scopes: ["User.Read"],
    });
    const refused = await header(userToken(world, V1), at);
    expect(withStatus(refused)).toMatchObject({ status: 401, code: "token_for_other_registration" });
    const upper = `api://${CLIENT_IDS.narrow.toUpperCase()}`;
    const inUpperCase = service.another({ settings: { V1_TOKEN_AUDIENCES: upper } });
    const confused = await header(userToken(world, { ...V1, claims: { aud: upper } }), inUpperCase);
    expect(withStatus(confused)).toMatchObject({ status: 401, code: "token_for_other_registration" });
  });
});

describe("roles that concern the whole deployment", () => {
  const roles = ["Policy.Explain", "Grant.Create"];
  const narrowOperator = () => bearer(userToken(world, { user: "erin", resource: "narrow", claims: { roles } }));

  test.each<[string, Call]>([
    ["/policy/explain", { json: { link: { caller: "daemon", apis: { graph: [] } } } }],
    ["/signin/links", { json: { api: "graph", caller: "daemon", expectedUser: USER_IDS.alice } }],
  ])("of another registration than the default one open nothing: %s", async (path, call) => {
    const answer = await service.call(path, { ...call, headers: narrowOperator() });
    expect(withStatus(answer)).toMatchObject({ status: 403, code: "role_required" });
    expectNothingLeft(answer);
  });

  test("of another registration show no details of readiness", async () => {
    const answer = await service.call("/ready", { headers: narrowOperator() });
    expect(answer.json()).toEqual({ status: expect.any(String), version: expect.any(String) });
  });
});

describe("/policy/explain", () => {
  const ask = (registration: string | undefined, client: string) =>
    service.call("/policy/explain", {
      headers: bearer(userToken(world, { user: "erin" })),
      json: {
        caller: { kind: "user", clientId: client, ...(registration === undefined ? {} : { registration }) },
        flow: "on-behalf-of",
        api: "graph",
      },
    });

  test.each<[string | undefined, string, Record<string, unknown>]>([
    ["narrow", CLIENT_IDS.intranet, { allowed: true, entry: "intranet-users", registration: "narrow" }],
    [
      undefined,
      CLIENT_IDS.intranet,
      { allowed: false, reason: "token_for_other_registration", entry: "intranet-users", registration: "narrow" },
    ],
    [undefined, CLIENT_IDS.web, { allowed: true, entry: "web-users", registration: "default" }],
    ["default", CLIENT_IDS.web, { allowed: true, entry: "web-users", registration: "default" }],
    ["narrow", CLIENT_IDS.web, { allowed: false, reason: "token_for_other_registration", registration: "default" }],
    ["narrow", CLIENT_IDS.stranger, { allowed: false, reason: "caller_not_listed" }],
  ])("a token for %s of the client %s", async (registration, client, expected) => {
    const answer = await ask(registration, client);
    expect(withStatus(answer)).toMatchObject({ status: 200, ...expected });
    expectNothingLeft(answer);
  });

  test("refuses a registration that does not exist by name", async () => {
    const answer = await ask("wide", CLIENT_IDS.web);
    expect(withStatus(answer)).toMatchObject({ status: 400, code: "parameter_invalid" });
    expect(answer.text).toContain("caller.registration");
  });
});

test("the metadata of the service lists the scope of each registration, the default one first", async () => {
  const answer = await service.call("/.well-known/oauth-protected-resource");
  expect(answer.json()["scopes_supported"]).toEqual([WIDE_SCOPE, NARROW_SCOPE]);
});
