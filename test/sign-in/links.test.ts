/** `POST /signin/links`, `GET /signin/{link}` and the confirmation page: who may use them, and what the service checks. */
import { describe, expect, test } from "vitest";
import { appToken, bearer, CLIENT_IDS, USER_IDS, userToken } from "../support/callers.ts";
import { DAY, MINUTE } from "../support/movable-clock.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { Answer } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";
import { type Browser, cookiesOf, hiddenFields, newBrowser, pathOf } from "./support/browser.ts";
import {
  allowedHandle,
  callbackPath,
  createLink,
  entraRequest,
  requestLink as requestWithHandle,
  signInByLink,
} from "./support/sign-in.ts";

const { world, clock, service } = useWorld();

const daemon = () => bearer(appToken(service, { client: "daemon" }));
const requestLink = (json: unknown, headers: Record<string, string> = daemon()) =>
  service.call("/signin/links", { json, headers });
const withRole = () => bearer(userToken(service, { claims: { roles: ["Grant.Create"] } }));

function expectPage(answer: Answer, status: number, title: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(answer.text).toContain(`<h1>${title}</h1>`);
}

const FORGED = "This form was not sent from the confirmation page";
const NOTHING = "No confirmation is pending";

async function openConfirmation(browser: Browser, from = service): Promise<Answer> {
  const back = await signInByLink(from, browser);
  return browser.open(back.headers.get("location") ?? "");
}

describe("POST /signin/links", () => {
  test("returns a link for ten minutes and the handle of the grant to an application for itself", async () => {
    const answer = await requestLink({
      api: "graph",
      scopes: ["User.Read"],
      caller: "daemon",
      expectedUser: USER_IDS.alice,
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const { url, expiresOn, grant } = answer.json();
    expect(grant).toMatch(/^gte_[\w-]{43}$/);
    expect(url).not.toContain(String(grant));
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
      grantId: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test("returns the handle to a person with Grant.Create as well", async () => {
    const json = { api: "graph", caller: "daemon", expectedUser: USER_IDS.bob };
    const answer = await requestLink(json, withRole());
    expect(answer.json()).toMatchObject({ url: expect.any(String), grant: expect.stringMatching(/^gte_/) });
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>, number]>([
    ["an hour for a link that names its person, if the entry says so", { linkMinutes: 60 }, {}, 60],
    ["less than ten minutes if the entry says so", { linkMinutes: 2 }, {}, 2],
    [
      "ten minutes for a link that any person may answer",
      { linkMinutes: 1_440, anyPersonMayAllow: true },
      { expectedUser: undefined },
      10,
    ],
    [
      "ten minutes for a link that is bound to a session only",
      { linkMinutes: 1_440 },
      { expectedUser: undefined, codeChallenge: "a".repeat(43) },
      10,
    ],
  ])("is valid for %s", async (_name, change, body, minutes) => {
    const other = world.serve({ settings: { POLICY: policyWithEntries({ daemon: change }) } });
    const json = { api: "graph", expectedUser: USER_IDS.alice, ...body };
    const answer = await other.call("/signin/links", { json, headers: daemon() });
    const link = pathOf(String(answer.json()["url"]));
    clock.advance(minutes * MINUTE - 5_000);
    expect((await newBrowser(other).open(link)).status).toBe(303);
    clock.advance(6_000);
    expectPage(await newBrowser(other).open(link), 400, "This link has expired");
  });

  const refused: [string, unknown, () => Record<string, string>, number, string][] = [
    ["a caller without authentication", { api: "graph" }, () => ({}), 401, "caller_missing"],
    [
      "a person without the role",
      { api: "graph", caller: "daemon" },
      () => bearer(userToken(service)),
      403,
      "role_required",
    ],
    ["a person with Grant.Create who names no caller", { api: "graph" }, withRole, 400, "parameter_missing"],
    [
      "a person with Grant.Create who names an unknown caller",
      { api: "graph", caller: "nobody" },
      withRole,
      403,
      "caller_not_listed",
    ],
    [
      "a person with Grant.Create who names a user entry",
      { api: "graph", caller: "web-users" },
      withRole,
      403,
      "application_required",
    ],
    [
      "an application that names another one",
      { api: "graph", caller: "web-backend" },
      daemon,
      403,
      "link_caller_not_own",
    ],
    [
      "an application without an entry",
      { api: "graph" },
      () => bearer(appToken(service, { client: "stranger", claims: { roles: ["Exchange.Call"] } })),
      403,
      "caller_not_listed",
    ],
    ["a request without an API", {}, daemon, 400, "parameter_missing"],
    ["a request that names no person", { api: "graph" }, daemon, 400, "parameter_missing"],
    ["a challenge of another form", { api: "graph", codeChallenge: "x" }, daemon, 400, "parameter_invalid"],
    ["a request with an unknown API", { api: "nothing" }, daemon, 404, "api_unknown"],
    ["a request with an API of other entries", { api: "orders" }, daemon, 403, "api_not_allowed"],
    [
      "a request with a scope of other entries",
      { api: "graph", scopes: ["Files.Read"] },
      daemon,
      403,
      "scope_not_allowed",
    ],
    [
      "a request with an unknown member",
      { api: "graph", redirect: "https://evil.example" },
      daemon,
      400,
      "parameter_not_supported",
    ],
    [
      "a request with a member __proto__",
      JSON.parse('{"api":"graph","__proto__":{"x":1}}'),
      daemon,
      400,
      "parameter_not_supported",
    ],
    [
      "a request with a user name as expectedUser",
      { api: "graph", expectedUser: "alice@contoso.local" },
      daemon,
      400,
      "parameter_invalid",
    ],
    ["a request with a number as caller", { api: "graph", caller: 1 }, daemon, 400, "parameter_invalid"],
  ];
  test.each(refused)("refuses %s", async (_name, body, headers, status, code) => {
    const answer = await requestLink(body, headers());
    expect(answer.json()).toMatchObject({ status, code });
    expect(service.lastEvent()).toMatchObject({ route: "signin-links", code });
  });

  test.each([
    ["unattended", { unattended: false, offlineAccess: false }, "unattended_not_allowed"],
    ["offlineAccess", { offlineAccess: false }, "offline_access_not_allowed"],
    ["the flow refresh-token", { flows: ["on-behalf-of"], offlineAccess: false }, "flow_not_allowed"],
  ])("refuses an application whose entry lacks %s", async (_name, change, code) => {
    const other = world.serve({ settings: { POLICY: policyWithEntries({ daemon: change }) } });
    const answer = await other.call("/signin/links", { json: { api: "graph" }, headers: daemon() });
    expect(answer.json()).toMatchObject({ status: 403, code });
  });
});

describe("GET /signin/{link}", () => {
  test.each([
    ["changed", (path: string) => `${path.slice(0, -2)}${path.endsWith("AA") ? "QQ" : "AA"}`],
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

  test("refuses an expired link", async () => {
    const link = await createLink(service);
    clock.advance(10 * MINUTE + 1_000);
    expectPage(await newBrowser(service).open(link), 400, "This link has expired");
  });

  test("refuses a link if policy no longer allows the application to have it", async () => {
    const link = await createLink(service);
    const POLICY = policyWithEntries({ daemon: { unattended: false, offlineAccess: false } });
    const other = world.serve({ settings: { POLICY } });
    expectPage(await newBrowser(other).open(link), 403, "This is not possible");
  });

  test("passes the claims challenge of the link to Entra", async () => {
    const claims = { access_token: { acrs: { essential: true, value: "c7" } } };
    const request = entraRequest(await newBrowser(service).open(await createLink(service, { api: "graph", claims })));
    expect(JSON.parse(request["claims"] ?? "")).toMatchObject(claims);
  });

  test("always lets the person choose the account", async () => {
    const request = entraRequest(await newBrowser(service).open(await createLink(service)));
    expect(request).toMatchObject({ prompt: "select_account" });
    expect(request).not.toHaveProperty("login_hint");
  });
});

describe("GET /oauth2/callback of a link", () => {
  test("shows a page if the person declined at Entra", async () => {
    const browser = newBrowser(service);
    const request = entraRequest(await browser.open(await createLink(service)));
    const refusal = { error: "access_denied", error_description: "AADSTS65004: x", state: request["state"] ?? "" };
    expectPage(await browser.open(callbackPath(refusal)), 403, "No access was granted");
    expect(browser.jar.size).toBe(0);
    expect(service.lastEvent()).toMatchObject({ route: "callback", outcome: "refused", aadsts: [65004] });
  });

  test("refuses another person than expectedUser", async () => {
    const link = await createLink(service, { api: "graph", expectedUser: USER_IDS.bob });
    const browser = newBrowser(service);
    expectPage(await signInByLink(service, browser, { link }), 403, "This link is for another account");
    expect(browser.jar.size).toBe(0);
    expect(service.lastEvent()).toMatchObject({ code: "signin_wrong_user", policyEntry: "daemon" });
  });

  test("refuses a guest where guests are not allowed", async () => {
    const link = await createLink(service, { api: "graph", expectedUser: USER_IDS.dave });
    const answer = await signInByLink(service, newBrowser(service), { link, signed: { user: "dave" } });
    expectPage(answer, 403, "Guests cannot use this service");
  });

  test("refuses a token with more scopes than the entry lists", async () => {
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const answer = await signInByLink(service, newBrowser(service));
    world.tenant.state.withdrawConsent({ user: "alice", scopes: ["Files.Read"] });
    expectPage(answer, 500, "The service is not set up for this");
    expect(answer.text).not.toContain("Files.Read");
  });

  test("shows a page for each failure of the code's redemption", async () => {
    for (const [order, title] of [
      [{ aadsts: 54005 }, "This sign-in was already used"],
      [{ aadsts: 50076 }, "Another sign-in step is required"],
      [{ aadsts: 65001 }, "Consent is missing"],
      [{ status: 500 }, "This did not work"],
    ] as const) {
      world.tenant.state.order({ endpoint: "token", ...order });
      const answer = await signInByLink(service, newBrowser(service));
      expect(answer.text).toContain(`<h1>${title}</h1>`);
    }
    expectPage(await signInByLink(service, newBrowser(service), { signed: { nonce: "x" } }), 502, "This did not work");
  });

  test("works with the same link after the vault was unavailable", async () => {
    const link = await createLink(service);
    const withoutVault = world.serve({ settings: { KEY_VAULT_URL: "https://localhost:9" } });
    const unavailable = await newBrowser(withoutVault).open(link);
    expectPage(unavailable, 503, "This did not work");
    expect(unavailable.text).toContain("Load this page again in a minute");
    expect((await newBrowser(service).open(link)).status).toBe(303);
  });

  test("fails if Entra returns no refresh token", async () => {
    const signed = { scope: "https://graph.microsoft.com/User.Read openid profile" };
    world.tenant.state.withdrawConsent({ user: "alice", scopes: ["offline_access"] });
    const answer = await signInByLink(service, newBrowser(service), { signed });
    world.tenant.state.addConsent({ user: "alice", scopes: ["offline_access"] });
    expectPage(answer, 502, "This did not work");
  });
});

describe("the confirmation page of a link", () => {
  test("can be reloaded in its own browser only", async () => {
    const browser = newBrowser(service);
    const back = await signInByLink(service, browser);
    const location = back.headers.get("location") ?? "";
    expect((await browser.open(location)).status).toBe(200);
    expect((await browser.open(location)).status).toBe(200);
    expectPage(await newBrowser(service).open(location), 400, "No confirmation is pending");
  });

  test("is refused without its transaction id, or with another", async () => {
    const browser = newBrowser(service);
    await openConfirmation(browser);
    for (const path of [
      "/signin/confirm",
      "/signin/confirm?transaction=x",
      `/signin/confirm?transaction=${"a".repeat(29)}`,
    ]) {
      expectPage(await browser.open(path), 400, "No confirmation is pending");
    }
  });

  test("is valid for ten minutes", async () => {
    const browser = newBrowser(service);
    const page = await openConfirmation(browser);
    clock.advance(10 * MINUTE + 1_000);
    const form = { ...hiddenFields(page.text), decision: "allow" };
    expectPage(await browser.submit("/signin/confirm", form), 400, "That took too long");
  });

  test("issues nothing and deletes the cookies if the person denies", async () => {
    const browser = newBrowser(service);
    const page = await openConfirmation(browser);
    const answer = await browser.submit("/signin/confirm", { ...hiddenFields(page.text), decision: "deny" });
    expectPage(answer, 403, "No access was granted");
    expect(browser.jar.size).toBe(0);
    expect(service.lastEvent()).toMatchObject({ route: "signin-confirm", outcome: "refused", code: "signin_declined" });
    expect(service.lastEvent()).not.toHaveProperty("grantId");
  });

  const forged: [string, Record<string, string>, Record<string, string>][] = [
    ["from another site", {}, { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["from the same site but another origin", {}, { "sec-fetch-site": "same-site", origin: "null" }],
    ["from the address bar", {}, { "sec-fetch-site": "none" }],
    ["from an old browser on another site", {}, { origin: "https://evil.example" }],
    ["without origin", {}, {}],
    ["from an opaque origin without sec-fetch-site", {}, { origin: "null" }],
    [
      "from another origin, even with sec-fetch-site same-origin",
      {},
      { "sec-fetch-site": "same-origin", origin: "https://x.example" },
    ],
    ["without its token", { token: "" }, { "sec-fetch-site": "same-origin", origin: "null" }],
    ["with another token", { token: "x".repeat(43) }, { "sec-fetch-site": "same-origin", origin: "null" }],
    ["without a decision", { decision: "" }, { "sec-fetch-site": "same-origin", origin: "null" }],
    ["with an unknown decision", { decision: "ALLOW" }, { "sec-fetch-site": "same-origin", origin: "null" }],
  ];
  test.each(forged)("refuses a form %s", async (_name, changes, headers) => {
    const browser = newBrowser(service);
    const page = await openConfirmation(browser);
    const form = { ...hiddenFields(page.text), decision: "allow", ...changes };
    expectPage(
      await browser.submit("/signin/confirm", form, headers),
      403,
      "This form was not sent from the confirmation page",
    );
    expect(service.lastEvent()).toMatchObject({ code: "form_forged" });
  });

  test("accepts a form from an old browser that sends its origin", async () => {
    const browser = newBrowser(service);
    const page = await openConfirmation(browser);
    const form = { ...hiddenFields(page.text), decision: "allow" };
    const answer = await browser.submit("/signin/confirm", form, { origin: "http://localhost:7071" });
    expect(answer.status).toBe(200);
  });

  test("refuses the form token of another confirmation", async () => {
    const browser = newBrowser(service);
    const [one, two] = [await openConfirmation(browser), await openConfirmation(browser)];
    const mixed = { ...hiddenFields(one.text), token: hiddenFields(two.text)["token"] ?? "", decision: "allow" };
    expectPage(
      await browser.submit("/signin/confirm", mixed),
      403,
      "This form was not sent from the confirmation page",
    );
  });

  test("issues one grant and shows the same page again if the form is sent twice with its cookie", async () => {
    const browser = newBrowser(service);
    const page = await openConfirmation(browser);
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const form = { ...hiddenFields(page.text), decision: "allow" };
    const headers = { cookie, "sec-fetch-site": "same-origin" };
    const send = () => service.call("/signin/confirm", { form, headers });
    const countGrants = async () =>
      ((await service.call("/grants", { headers: daemon() })).json()["grants"] as unknown[]).length;
    const before = await countGrants();
    const first = await send();
    expectPage(first, 200, "“Contoso Nightly Job” may now act on your behalf");
    expect(service.lastEvent()).toMatchObject({ outcome: "answered", grantMade: true });
    clock.advance(9 * MINUTE);
    const again = await send();
    expectPage(again, 200, "“Contoso Nightly Job” may now act on your behalf");
    expect([first.text, again.text].join()).not.toContain("gte_");
    expect(again.cookies).toEqual(first.cookies);
    expect(service.lastEvent()).toMatchObject({ outcome: "answered", grantId: expect.any(String) });
    expect(service.lastEvent()).not.toHaveProperty("grantMade");
    expect(await countGrants()).toBe(before + 1);

    // As the first time, the form needs its token, and must come from the page.
    const elsewhere = { cookie, "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    const forged = { ...form, token: "x".repeat(43) };
    expectPage(await service.call("/signin/confirm", { form, headers: elsewhere }), 403, FORGED);
    expectPage(await service.call("/signin/confirm", { form: forged, headers }), 403, FORGED);
    expectPage(await service.call("/signin/confirm", { form, headers: { ...headers, cookie: "" } }), 400, NOTHING);
    clock.advance(MINUTE + 1_000);
    expectPage(await send(), 400, "That took too long");
  });

  test("revokes the grant if the person denies after an approval whose response was lost", async () => {
    const { link, handle } = await requestWithHandle(service);
    const browser = newBrowser(service);
    const back = await signInByLink(service, browser, { link });
    const page = await browser.open(back.headers.get("location") ?? "");
    const headers = { cookie: cookiesOf(browser), "sec-fetch-site": "same-origin" };
    const send = (decision: string) =>
      service.call("/signin/confirm", { form: { ...hiddenFields(page.text), decision }, headers });
    expectPage(await send("allow"), 200, "“Contoso Nightly Job” may now act on your behalf");
    expectPage(await send("deny"), 403, "No access was granted");
    expect(service.lastEvent()).toMatchObject({ code: "signin_declined", grantId: expect.any(String) });
    const used = await service.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers: daemon() });
    expect(used.json()).toMatchObject({ code: "grant_invalid" });
    expectPage(await send("allow"), 400, "This access has been ended");
    expect(service.lastEvent()).toMatchObject({ code: "confirmation_used" });
  });

  test("is refused if policy changed while it was open", async () => {
    const browser = newBrowser(service);
    const page = await openConfirmation(browser);
    const changed = world.serve({
      settings: { POLICY: policyWithEntries({ daemon: { apis: { orders: ["Orders.Read"] } } }) },
    });
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const form = { ...hiddenFields(page.text), decision: "allow" };
    const headers = { cookie, "sec-fetch-site": "same-origin" };
    expectPage(await changed.call("/signin/confirm", { form, headers }), 403, "This is not possible");
  });

  test("shows names from policy and directory as text only", async () => {
    const displayName = `<img src=x onerror=alert(1)>"'&`;
    const POLICY = policyWithEntries({ daemon: { displayName } });
    const other = world.serve({ settings: { POLICY } });
    const page = await openConfirmation(newBrowser(other), other);
    expect(page.text).not.toContain("<img");
    expect(page.text).toContain("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;");
  });

  test("splits a long refresh token into several cookies", async () => {
    const browser = newBrowser(service);
    const request = entraRequest(await browser.open(await createLink(service)));
    const body = {
      token_type: "Bearer",
      expires_in: 3_600,
      scope: "https://graph.microsoft.com/User.Read",
      access_token: "access",
      refresh_token: "r".repeat(5_000),
      id_token: world.tenant.state.mintIdToken({
        user: "alice",
        client: "service",
        claims: { nonce: request["nonce"], name: "Alice Archer" },
      }),
    };
    world.tenant.state.order({ endpoint: "token", status: 200, body });
    const back = await browser.open(callbackPath({ code: "x", state: request["state"] ?? "" }));
    expect(back.status).toBe(303);
    expect([...browser.jar.keys()].map((name) => name.slice(-2))).toEqual([".0", ".1", ".2"]);
    for (const [name, value] of browser.jar) {
      expect(name.length + value.length).toBeLessThanOrEqual(3_800);
    }
    const page = await browser.open(back.headers.get("location") ?? "");
    expect(page.status).toBe(200);
    const done = await browser.submit("/signin/confirm", { ...hiddenFields(page.text), decision: "allow" });
    expect(done.status).toBe(200);
    expect(browser.jar.size).toBe(0);
  });
});

test("no response of the sign-in routes can be framed, cached or read by another origin", async () => {
  const browser = newBrowser(service);
  const page = await openConfirmation(browser);
  const pages = [page, await browser.open("/signin/hello"), await browser.open("/oauth2/callback")];
  for (const { headers } of pages) {
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/^default-src 'none'; img-src data:; style-src 'sha256-[^']+'; /);
    expect(policy).toMatch(/form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/);
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("access-control-allow-origin")).toBeNull();
  }
});

describe("a redemption of a grant that needs a new sign-in returns a link", () => {
  const handleOfDaemon = () => allowedHandle(service);
  const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

  test.each([
    ["if the session ended", { aadsts: 50173 }, "grant_dead"],
    ["if Entra requires a second factor", { aadsts: 50076, claims }, "interaction_required"],
    ["if a consent is missing", { aadsts: 65001 }, "consent_required"],
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
      const request = entraRequest(await browser.open(link));
      expect(request["scope"]).toContain("Mail.Read");
      expect(request["claims"]?.includes("acrs")).toBe("claims" in order);
      // The link is only for the person whose grant it was.
      expectPage(
        await signInByLink(service, newBrowser(service), { link, signed: { user: "bob" } }),
        403,
        "This link is for another account",
      );
    }
  });

  test("if the grant expired, for the same application, scopes and person", async () => {
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
      expect(entraRequest(await newBrowser(service).open(link))["scope"]).toContain("Mail.Read");
      expectPage(
        await signInByLink(service, newBrowser(service), { link, signed: { user: "bob" } }),
        403,
        "This link is for another account",
      );
      const browser = newBrowser(service);
      const back = await signInByLink(service, browser, { link });
      const page = await browser.open(back.headers.get("location") ?? "");
      expect(page.text).toContain("Contoso Nightly Job");
    }
    const sent = world.tenant.state.requests({ endpoint: "token", grantType: "refresh_token" });
    expect(sent).toEqual([]);
  });

  test("but not to another caller if the grant expired", async () => {
    const handle = await handleOfDaemon();
    clock.advance(30 * DAY + MINUTE);
    for (const headers of [bearer(appToken(service)), bearer(userToken(service))]) {
      const answer = await service.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers });
      expect(answer.json()).toMatchObject({ code: "grant_invalid", action: "sign_in" });
      expect(answer.json()).not.toHaveProperty("signin_url");
    }
  });

  test("but not if the grant expired and policy no longer allows a link", async () => {
    const handle = await handleOfDaemon();
    const POLICY = policyWithEntries({ daemon: { unattended: false, offlineAccess: false, flows: ["on-behalf-of"] } });
    const other = world.serve({ settings: { POLICY } });
    const redeem = () => other.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers: daemon() });
    // This call loads the sealing key. A link that is missing later is missing because of the policy.
    expect((await redeem()).json()).toMatchObject({ code: "flow_not_allowed" });
    clock.advance(30 * DAY + MINUTE);
    const answer = await redeem();
    expect(answer.json()).toMatchObject({ code: "grant_expired", action: "sign_in" });
    expect(answer.json()).not.toHaveProperty("signin_url");
  });

  test("also to an application that supports claims challenges, without a challenge for its own token", async () => {
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

  test("but only the action sign_in if policy allows no link", async () => {
    const handle = await handleOfDaemon();
    const other = world.serve({ settings: { POLICY: policyWithEntries({ daemon: { offlineAccess: false } }) } });
    world.tenant.state.order({ endpoint: "token", aadsts: 50173 });
    const answer = await other.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers: daemon() });
    expect(answer.json()).toMatchObject({ code: "grant_dead", action: "sign_in" });
    expect(answer.json()).not.toHaveProperty("signin_url");
  });
});

test("audit events contain no name, link, handle or token", () => {
  const lines = service.logs.join("\n");
  for (const word of ["Alice", "alice@", "Archer", "/signin/"]) {
    expect(lines).not.toContain(word);
  }
  // The prefix of a handle or a token alone could also be part of a random id.
  expect(lines).not.toMatch(/gte_[\w-]{20}|eyJ[\w-]{20}/);
});
