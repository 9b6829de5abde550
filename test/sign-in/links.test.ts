/** `POST /signin/links`, `GET /signin/{link}` and the confirmation: who may ask, who may answer, what is checked. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { appToken, bearer, CLIENT_IDS, USER_IDS, userToken } from "../support/callers.ts";
import { DAY, MINUTE, type MovableClock, movableClock } from "../support/movable-clock.ts";
import { policyWithEntries } from "../support/policies.ts";
import { type Answer, type LocalWorld, type ServiceUnderTest, startLocalWorld } from "../support/service-under-test.ts";
import { type Browser, cookiesOf, hiddenFields, newBrowser, pathOf } from "./support/browser.ts";
import { askedOfEntra, callbackPath, createLink, signInByLink } from "./support/sign-in.ts";

let world: LocalWorld;
let service: ServiceUnderTest;
let clock: MovableClock;
beforeAll(async () => {
  world = await startLocalWorld();
  clock = movableClock(world);
  service = world.serve({ surroundings: clock.surroundings });
});
afterEach(() => {
  clock.reset();
  world.tenant.state.clearOrders();
});
afterAll(() => world.stop());

const daemon = () => bearer(appToken(service, { client: "daemon" }));
const ask = (json: unknown, headers: Record<string, string> = daemon()) =>
  service.call("/signin/links", { json, headers });
const maker = () => bearer(userToken(service, { claims: { roles: ["Grant.Create"] } }));

function expectPage(answer: Answer, status: number, title: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(answer.text).toContain(`<h1>${title}</h1>`);
}

const FORGED = "This form was not sent from our page";
const NOTHING = "There is nothing to confirm";

function handleIn({ text }: Answer): string {
  return /gte_[\w-]{43}/.exec(text)?.[0] ?? "";
}

async function toQuestion(browser: Browser, from = service): Promise<Answer> {
  const back = await signInByLink(from, browser);
  return browser.open(back.headers.get("location") ?? "");
}

describe("who gets a link", () => {
  test("an application for itself, for ten minutes", async () => {
    const answer = await ask({ api: "graph", scopes: ["User.Read"], caller: "daemon", expectedUser: USER_IDS.alice });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const { url, expiresOn } = answer.json();
    expect(url).toMatch(/^http:\/\/localhost:7071\/signin\/[\w.-]+$/);
    const seconds = (Date.parse(String(expiresOn)) - Date.now()) / 1_000;
    expect(seconds).toBeGreaterThan(590);
    expect(seconds).toBeLessThanOrEqual(600);
    expect(service.lastEvent()).toMatchObject({
      route: "signin-links",
      outcome: "answered",
      policyEntry: "daemon",
      callerClientId: CLIENT_IDS.daemon,
      scopesAsked: ["User.Read"],
    });
  });

  const refused: [string, unknown, () => Record<string, string>, number, string][] = [
    ["nobody", { api: "graph" }, () => ({}), 401, "caller_missing"],
    [
      "a person without the role",
      { api: "graph", caller: "daemon" },
      () => bearer(userToken(service)),
      403,
      "role_required",
    ],
    ["a maker that names nobody", { api: "graph" }, maker, 400, "parameter_missing"],
    ["a maker that names an unknown caller", { api: "graph", caller: "nobody" }, maker, 403, "caller_not_listed"],
    ["a maker that names people", { api: "graph", caller: "web-users" }, maker, 403, "application_required"],
    ["an application for another", { api: "graph", caller: "web-backend" }, daemon, 403, "link_caller_not_own"],
    [
      "an application that is not in the policy",
      { api: "graph" },
      () => bearer(appToken(service, { client: "stranger", claims: { roles: ["Exchange.Call"] } })),
      403,
      "caller_not_listed",
    ],
    ["without an API", {}, daemon, 400, "parameter_missing"],
    ["with an unknown API", { api: "nothing" }, daemon, 403, "api_unknown"],
    ["with an API of others", { api: "orders" }, daemon, 403, "api_not_allowed"],
    ["with a scope of others", { api: "graph", scopes: ["Files.Read"] }, daemon, 403, "scope_not_allowed"],
    [
      "with an unknown member",
      { api: "graph", redirect: "https://evil.example" },
      daemon,
      400,
      "parameter_not_supported",
    ],
    [
      "with a member called __proto__",
      JSON.parse('{"api":"graph","__proto__":{"x":1}}'),
      daemon,
      400,
      "parameter_not_supported",
    ],
    ["with a user by name", { api: "graph", expectedUser: "alice@contoso.local" }, daemon, 400, "parameter_invalid"],
    ["with a number for a caller", { api: "graph", caller: 1 }, daemon, 400, "parameter_invalid"],
  ];
  test.each(refused)("not %s", async (_name, body, headers, status, code) => {
    const answer = await ask(body, headers());
    expect(answer.json()).toMatchObject({ status, code });
    expect(service.lastEvent()).toMatchObject({ route: "signin-links", code });
  });

  test.each([
    ["unattended", { unattended: false, offlineAccess: false }, "unattended_not_allowed"],
    ["offlineAccess", { offlineAccess: false }, "offline_access_not_allowed"],
    ["the flow refresh-token", { flows: ["on-behalf-of"], offlineAccess: false }, "flow_not_allowed"],
  ])("not where the entry lacks %s", async (_name, change, code) => {
    const other = world.serve({ settings: { POLICY: policyWithEntries({ daemon: change }) } });
    const answer = await other.call("/signin/links", { json: { api: "graph" }, headers: daemon() });
    expect(answer.json()).toMatchObject({ status: 403, code });
  });
});

describe("a link in a browser", () => {
  test.each([
    ["forged", (path: string) => `${path.slice(0, -2)}${path.endsWith("AA") ? "QQ" : "AA"}`],
    ["cut off", (path: string) => path.slice(0, -40)],
    ["made up", () => "/signin/hello"],
  ])("%s", async (_name, change) => {
    expectPage(await newBrowser(service).open(change(await createLink(service))), 400, "This link is not valid");
    expect(service.lastEvent()).toMatchObject({
      route: "signin-open",
      outcome: "refused",
      code: "signin_link_invalid",
    });
  });

  test("expired", async () => {
    const link = await createLink(service);
    clock.advance(10 * MINUTE + 1_000);
    expectPage(await newBrowser(service).open(link), 400, "This link has expired");
  });

  test("whose application lost its place in the policy meanwhile", async () => {
    const link = await createLink(service);
    const POLICY = policyWithEntries({ daemon: { unattended: false, offlineAccess: false } });
    const other = world.serve({ settings: { POLICY } });
    expectPage(await newBrowser(other).open(link), 403, "This is not possible");
  });

  test("carries a demand of Entra's to the sign-in that meets it", async () => {
    const claims = { access_token: { acrs: { essential: true, value: "c7" } } };
    const asked = askedOfEntra(await newBrowser(service).open(await createLink(service, { api: "graph", claims })));
    expect(JSON.parse(asked["claims"] ?? "")).toMatchObject(claims);
  });

  test("always asks for the account, never suggests one", async () => {
    const asked = askedOfEntra(await newBrowser(service).open(await createLink(service)));
    expect(asked).toMatchObject({ prompt: "select_account" });
    expect(asked).not.toHaveProperty("login_hint");
  });
});

describe("back from Entra", () => {
  test("declined there", async () => {
    const browser = newBrowser(service);
    const asked = askedOfEntra(await browser.open(await createLink(service)));
    const refusal = { error: "access_denied", error_description: "AADSTS65004: x", state: asked["state"] ?? "" };
    expectPage(await browser.open(callbackPath(refusal)), 403, "Nothing was allowed");
    expect(browser.jar.size).toBe(0);
    expect(service.lastEvent()).toMatchObject({ route: "callback", outcome: "refused", aadsts: [65004] });
  });

  test("as somebody else than expected", async () => {
    const link = await createLink(service, { api: "graph", expectedUser: USER_IDS.bob });
    const browser = newBrowser(service);
    expectPage(await signInByLink(service, browser, { link }), 403, "This link is for somebody else");
    expect(browser.jar.size).toBe(0);
    expect(service.lastEvent()).toMatchObject({ code: "signin_wrong_user", policyEntry: "daemon" });
  });

  test("as a guest", async () => {
    const answer = await signInByLink(service, newBrowser(service), { signed: { user: "dave" } });
    expectPage(answer, 403, "Guests cannot do this");
  });

  test("with more than the application may have", async () => {
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const answer = await signInByLink(service, newBrowser(service));
    world.tenant.state.withdrawConsent({ user: "alice", scopes: ["Files.Read"] });
    expectPage(answer, 500, "The service is not set up for this");
    expect(answer.text).not.toContain("Files.Read");
  });

  test("with a code used before, another nonce, and a demand of Entra's", async () => {
    for (const [order, title] of [
      [{ aadsts: 54005 }, "This sign-in was used already"],
      [{ aadsts: 50076 }, "More is needed to sign in"],
      [{ aadsts: 65001 }, "A consent is missing"],
      [{ status: 500 }, "This did not work"],
    ] as const) {
      world.tenant.state.order({ endpoint: "token", ...order });
      const answer = await signInByLink(service, newBrowser(service));
      expect(answer.text).toContain(`<h1>${title}</h1>`);
    }
    expectPage(await signInByLink(service, newBrowser(service), { signed: { nonce: "x" } }), 502, "This did not work");
  });

  test("the vault is away when the link is opened, and back a moment later: the same link goes on", async () => {
    const link = await createLink(service);
    const cut = world.serve({ settings: { KEY_VAULT_URL: "https://localhost:9" }, surroundings: clock.surroundings });
    const away = await newBrowser(cut).open(link);
    expectPage(away, 503, "This did not work");
    expect(away.text).toContain("Load this page again in a minute");
    expect((await newBrowser(service).open(link)).status).toBe(303);
  });

  test("without a refresh token there is nothing to keep", async () => {
    const signed = { scope: "https://graph.microsoft.com/User.Read openid profile" };
    world.tenant.state.withdrawConsent({ user: "alice", scopes: ["offline_access"] });
    const answer = await signInByLink(service, newBrowser(service), { signed });
    world.tenant.state.addConsent({ user: "alice", scopes: ["offline_access"] });
    expectPage(answer, 502, "This did not work");
  });
});

describe("the question", () => {
  test("can be looked at again, and belongs to one browser", async () => {
    const browser = newBrowser(service);
    const back = await signInByLink(service, browser);
    const location = back.headers.get("location") ?? "";
    expect((await browser.open(location)).status).toBe(200);
    expect((await browser.open(location)).status).toBe(200);
    expectPage(await newBrowser(service).open(location), 400, "There is nothing to confirm");
  });

  test("without its name, or with another", async () => {
    const browser = newBrowser(service);
    await toQuestion(browser);
    for (const path of [
      "/signin/confirm",
      "/signin/confirm?transaction=x",
      `/signin/confirm?transaction=${"a".repeat(29)}`,
    ]) {
      expectPage(await browser.open(path), 400, "There is nothing to confirm");
    }
  });

  test("waits ten minutes", async () => {
    const browser = newBrowser(service);
    const question = await toQuestion(browser);
    clock.advance(10 * MINUTE + 1_000);
    const form = { ...hiddenFields(question.text), decision: "allow" };
    expectPage(await browser.submit("/signin/confirm", form), 400, "That took too long");
  });

  test("no: nothing is made, and the cookies go", async () => {
    const browser = newBrowser(service);
    const question = await toQuestion(browser);
    const answer = await browser.submit("/signin/confirm", { ...hiddenFields(question.text), decision: "deny" });
    expectPage(answer, 403, "Nothing was allowed");
    expect(browser.jar.size).toBe(0);
    expect(service.lastEvent()).toMatchObject({ route: "signin-confirm", outcome: "refused", code: "signin_declined" });
    expect(service.lastEvent()).not.toHaveProperty("grantId");
  });

  const forged: [string, Record<string, string>, Record<string, string>][] = [
    ["from another site", {}, { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["from a sister site", {}, { "sec-fetch-site": "same-site", origin: "null" }],
    ["typed by hand", {}, { "sec-fetch-site": "none" }],
    ["from an old browser on another site", {}, { origin: "https://evil.example" }],
    ["from nowhere", {}, {}],
    ["from an opaque origin, unexplained", {}, { origin: "null" }],
    [
      "with another origin, whatever is said beside it",
      {},
      { "sec-fetch-site": "same-origin", origin: "https://x.example" },
    ],
    ["without its token", { token: "" }, { "sec-fetch-site": "same-origin", origin: "null" }],
    ["with another token", { token: "x".repeat(43) }, { "sec-fetch-site": "same-origin", origin: "null" }],
    ["without a decision", { decision: "" }, { "sec-fetch-site": "same-origin", origin: "null" }],
    ["with a decision of its own", { decision: "ALLOW" }, { "sec-fetch-site": "same-origin", origin: "null" }],
  ];
  test.each(forged)("a form %s", async (_name, changes, headers) => {
    const browser = newBrowser(service);
    const question = await toQuestion(browser);
    const form = { ...hiddenFields(question.text), decision: "allow", ...changes };
    expectPage(await browser.submit("/signin/confirm", form, headers), 403, "This form was not sent from our page");
    expect(service.lastEvent()).toMatchObject({ code: "form_forged" });
  });

  test("an old browser that says its origin is believed", async () => {
    const browser = newBrowser(service);
    const question = await toQuestion(browser);
    const form = { ...hiddenFields(question.text), decision: "allow" };
    const answer = await browser.submit("/signin/confirm", form, { origin: "http://localhost:7071" });
    expect(answer.status).toBe(200);
  });

  test("the token of one question is none for another", async () => {
    const browser = newBrowser(service);
    const [one, two] = [await toQuestion(browser), await toQuestion(browser)];
    const mixed = { ...hiddenFields(one.text), token: hiddenFields(two.text)["token"] ?? "", decision: "allow" };
    expectPage(await browser.submit("/signin/confirm", mixed), 403, "This form was not sent from our page");
  });

  test("sent twice, with the cookie kept (a lost answer, a reload): one grant, and its handle again", async () => {
    const browser = newBrowser(service);
    const question = await toQuestion(browser);
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const form = { ...hiddenFields(question.text), decision: "allow" };
    const headers = { cookie, "sec-fetch-site": "same-origin" };
    const send = () => service.call("/signin/confirm", { form, headers });
    const countGrants = async () =>
      ((await service.call("/grants", { headers: daemon() })).json()["grants"] as unknown[]).length;
    const before = await countGrants();
    const first = await send();
    expectPage(first, 200, "“A scheduled flow” may now act in your name");
    expect(service.lastEvent()).toMatchObject({ outcome: "answered", grantMade: true });
    clock.advance(9 * MINUTE);
    const again = await send();
    expectPage(again, 200, "“A scheduled flow” may now act in your name");
    expect(handleIn(again)).toBe(handleIn(first));
    expect(again.cookies).toEqual(first.cookies);
    expect(service.lastEvent()).toMatchObject({ outcome: "answered", grantId: expect.any(String) });
    expect(service.lastEvent()).not.toHaveProperty("grantMade");
    expect(await countGrants()).toBe(before + 1);

    // The same as the first time: the page's own token, from the page.
    const elsewhere = { cookie, "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    const forged = { ...form, token: "x".repeat(43) };
    expectPage(await service.call("/signin/confirm", { form, headers: elsewhere }), 403, FORGED);
    expectPage(await service.call("/signin/confirm", { form: forged, headers }), 403, FORGED);
    expectPage(await service.call("/signin/confirm", { form, headers: { ...headers, cookie: "" } }), 400, NOTHING);
    clock.advance(MINUTE + 1_000);
    expectPage(await send(), 400, "That took too long");
  });

  test("a no after a yes whose answer was lost ends the grant that it made", async () => {
    const browser = newBrowser(service);
    const question = await toQuestion(browser);
    const headers = { cookie: cookiesOf(browser), "sec-fetch-site": "same-origin" };
    const send = (decision: string) =>
      service.call("/signin/confirm", { form: { ...hiddenFields(question.text), decision }, headers });
    const handle = handleIn(await send("allow"));
    expectPage(await send("deny"), 403, "Nothing was allowed");
    expect(service.lastEvent()).toMatchObject({ code: "signin_declined", grantId: expect.any(String) });
    const used = await service.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers: daemon() });
    expect(used.json()).toMatchObject({ code: "grant_invalid" });
    expectPage(await send("allow"), 400, "You allowed this, and it was ended since");
    expect(service.lastEvent()).toMatchObject({ code: "confirmation_used" });
  });

  test("policy changed while the page waited", async () => {
    const browser = newBrowser(service);
    const question = await toQuestion(browser);
    const changed = world.serve({
      settings: { POLICY: policyWithEntries({ daemon: { apis: { orders: ["Orders.Read"] } } }) },
    });
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const form = { ...hiddenFields(question.text), decision: "allow" };
    const headers = { cookie, "sec-fetch-site": "same-origin" };
    expectPage(await changed.call("/signin/confirm", { form, headers }), 403, "This is not possible");
  });

  test("a name in the policy or the directory is only ever text", async () => {
    const displayName = `<img src=x onerror=alert(1)>"'&`;
    const POLICY = policyWithEntries({ daemon: { displayName } });
    const other = world.serve({ settings: { POLICY } });
    const question = await toQuestion(newBrowser(other), other);
    expect(question.text).not.toContain("<img");
    expect(question.text).toContain("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;");
  });

  test("a long refresh token travels in several cookies", async () => {
    const browser = newBrowser(service);
    const asked = askedOfEntra(await browser.open(await createLink(service)));
    const body = {
      token_type: "Bearer",
      expires_in: 3_600,
      scope: "https://graph.microsoft.com/User.Read",
      access_token: "access",
      refresh_token: "r".repeat(5_000),
      id_token: world.tenant.state.mintIdToken({
        user: "alice",
        client: "service",
        claims: { nonce: asked["nonce"], name: "Alice Archer" },
      }),
    };
    world.tenant.state.order({ endpoint: "token", status: 200, body });
    const back = await browser.open(callbackPath({ code: "x", state: asked["state"] ?? "" }));
    expect(back.status).toBe(303);
    expect([...browser.jar.keys()].map((name) => name.slice(-2))).toEqual([".0", ".1", ".2"]);
    for (const [name, value] of browser.jar) {
      expect(name.length + value.length).toBeLessThanOrEqual(3_800);
    }
    const question = await browser.open(back.headers.get("location") ?? "");
    expect(question.status).toBe(200);
    const done = await browser.submit("/signin/confirm", { ...hiddenFields(question.text), decision: "allow" });
    expect(done.status).toBe(200);
    expect(browser.jar.size).toBe(0);
  });
});

test("no answer of these routes lets a page be framed, cached or read by others", async () => {
  const browser = newBrowser(service);
  const question = await toQuestion(browser);
  const pages = [question, await browser.open("/signin/hello"), await browser.open("/oauth2/callback")];
  for (const { headers } of pages) {
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; /);
    expect(policy).toMatch(/form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/);
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("access-control-allow-origin")).toBeNull();
  }
});

describe("when Entra ends a grant, the answer brings a link (issue 3, item 4)", () => {
  async function handleOfDaemon(): Promise<string> {
    const browser = newBrowser(service);
    const question = await toQuestion(browser);
    const done = await browser.submit("/signin/confirm", { ...hiddenFields(question.text), decision: "allow" });
    return /gte_[\w-]{43}/.exec(done.text)?.[0] ?? "";
  }
  const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

  test.each([
    ["the session ended", { aadsts: 50173 }, "grant_dead"],
    ["a second factor is demanded", { aadsts: 50076, claims }, "interaction_required"],
    ["a consent is missing", { aadsts: 65001 }, "consent_required"],
  ])("%s", async (_name, order, code) => {
    const handle = await handleOfDaemon();
    for (const [path, call] of [
      ["/AuthorizationHeader/graph", { json: { grant: handle, forceRefresh: true } }],
      ["/oauth2/token", { form: { grant_type: "refresh_token", refresh_token: handle, claims: "{}" } }],
    ] as const) {
      world.tenant.state.order({ endpoint: "token", ...order });
      const answer = await service.call(path, { ...call, headers: daemon() });
      expect(answer.json()).toMatchObject({ code, action: "sign_in" });
      const link = pathOf(String(answer.json()["signin_url"]));
      expect(link).toMatch(/^\/signin\/[\w.-]+$/);
      expect(JSON.stringify(service.lastEvent())).not.toContain("/signin/");

      const browser = newBrowser(service);
      const asked = askedOfEntra(await browser.open(link));
      expect(asked["scope"]).toContain("Mail.Read");
      expect(asked["claims"]?.includes("acrs")).toBe("claims" in order);
      // It is for the person whose grant it was, and nobody else.
      expectPage(
        await signInByLink(service, newBrowser(service), { link, signed: { user: "bob" } }),
        403,
        "This link is for somebody else",
      );
    }
  });

  test("by our own time: the link is for what the grant was", async () => {
    const handle = await handleOfDaemon();
    clock.advance(30 * DAY + MINUTE);
    world.tenant.state.clearLog();
    for (const [path, call] of [
      ["/AuthorizationHeader/graph", { json: { grant: handle } }],
      ["/oauth2/token", { form: { grant_type: "refresh_token", refresh_token: handle } }],
    ] as const) {
      const answer = await service.call(path, { ...call, headers: daemon() });
      expect(answer.json()).toMatchObject({ error: "invalid_grant", code: "grant_expired", action: "sign_in" });
      const { signin_url, ...others } = answer.json();
      expect(Object.keys(others)).not.toContain("ended");
      expect(JSON.stringify([others, service.lastEvent()])).not.toMatch(new RegExp(`/signin/|${USER_IDS.alice}`));

      const link = pathOf(String(signin_url));
      expect(askedOfEntra(await newBrowser(service).open(link))["scope"]).toContain("Mail.Read");
      expectPage(
        await signInByLink(service, newBrowser(service), { link, signed: { user: "bob" } }),
        403,
        "This link is for somebody else",
      );
      const browser = newBrowser(service);
      const back = await signInByLink(service, browser, { link });
      const question = await browser.open(back.headers.get("location") ?? "");
      expect(question.text).toContain("A scheduled flow");
    }
    const sent = world.tenant.state.requests({ endpoint: "token", grantType: "refresh_token" });
    expect(sent).toEqual([]);
  });

  test("by our own time, and nobody else gets a link for it", async () => {
    const handle = await handleOfDaemon();
    clock.advance(30 * DAY + MINUTE);
    for (const headers of [bearer(appToken(service)), bearer(userToken(service))]) {
      const answer = await service.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers });
      expect(answer.json()).toMatchObject({ code: "grant_invalid", action: "sign_in" });
      expect(answer.json()).not.toHaveProperty("signin_url");
    }
  });

  test("by our own time, and no link where the policy allows none any more", async () => {
    const handle = await handleOfDaemon();
    const POLICY = policyWithEntries({ daemon: { unattended: false, offlineAccess: false, flows: ["on-behalf-of"] } });
    const other = world.serve({ settings: { POLICY }, surroundings: clock.surroundings });
    const redeem = () => other.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers: daemon() });
    // It has the sealing key from now on: what is missing later is missing because of the policy.
    expect((await redeem()).json()).toMatchObject({ code: "flow_not_allowed" });
    clock.advance(30 * DAY + MINUTE);
    const answer = await redeem();
    expect(answer.json()).toMatchObject({ code: "grant_expired", action: "sign_in" });
    expect(answer.json()).not.toHaveProperty("signin_url");
  });

  test("an application that understands challenges is not sent to get a token of its own that meets one", async () => {
    const handle = await handleOfDaemon();
    world.tenant.state.order({ endpoint: "token", aadsts: 50076, claims });
    const capable = bearer(appToken(service, { client: "daemon", capabilities: ["cp1"] }));
    const answer = await service.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers: capable });
    expect(answer.json()).toMatchObject({
      status: 403,
      error: "interaction_required",
      code: "interaction_required",
      action: "sign_in",
      claims,
      signin_url: expect.stringContaining("/signin/"),
    });
    expect(answer.headers.has("www-authenticate")).toBe(false);
  });

  test("no link where none may be made, yet the same action", async () => {
    const handle = await handleOfDaemon();
    const other = world.serve({ settings: { POLICY: policyWithEntries({ daemon: { offlineAccess: false } }) } });
    world.tenant.state.order({ endpoint: "token", aadsts: 50173 });
    const answer = await other.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers: daemon() });
    expect(answer.json()).toMatchObject({ code: "grant_dead", action: "sign_in" });
    expect(answer.json()).not.toHaveProperty("signin_url");
  });
});

test("audit says nothing that a person could be known by", () => {
  const lines = service.logs.join("\n");
  for (const word of ["Alice", "alice@", "Archer", "/signin/"]) {
    expect(lines).not.toContain(word);
  }
  // The beginning of a handle or a token by itself may also be the middle of a random id.
  expect(lines).not.toMatch(/gte_[\w-]{20}|eyJ[\w-]{20}/);
});
