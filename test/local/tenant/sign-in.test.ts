/** The sign-in pages: what Entra shows, what it tells the client, and in whose words. */
import { createHash, randomBytes } from "node:crypto";
import { ConfidentialClientApplication } from "@azure/msal-node";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CLIENT_IDS, TENANT_ID, USER_IDS } from "../../../local/tenant/directory/seed-ids.ts";
import { decodeCompact } from "../../../local/tenant/keys/compact-jws.ts";
import type { LocalTenant } from "../../../local/tenant/local-tenant.ts";
import { createScriptedBrowser, type Page, type ScriptedBrowser } from "./scripted-browser.ts";
import { asClient, onBehalfOfForm, passwordOf, postToken, secretOf, startTrustedTenant } from "./trusted-tenant.ts";

const CALLBACK = "http://localhost:7071/oauth2/callback";
const GRAPH_SCOPE = "https://graph.microsoft.com/User.Read";
const SERVICE_SCOPE = `api://${CLIENT_IDS.service}/access_as_user`;

let tenant: LocalTenant;
beforeAll(async () => {
  tenant = await startTrustedTenant();
});
afterEach(() => tenant.state.reset());
afterAll(() => tenant.close());

/** A valid request of the service, to change one parameter of; `undefined` leaves one out. */
function authorizeUrl(changes: Record<string, string | undefined> = {}, segment: string = TENANT_ID): string {
  const params = {
    client_id: CLIENT_IDS.service,
    response_type: "code",
    redirect_uri: CALLBACK,
    scope: `${GRAPH_SCOPE} openid profile offline_access`,
    state: "the state",
    ...changes,
  };
  const present = Object.entries(params).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return `${tenant.url}/${segment}/oauth2/v2.0/authorize?${new URLSearchParams(present)}`;
}

function open(changes: Record<string, string | undefined> = {}, browser = createScriptedBrowser()): Promise<Page> {
  return browser.open(authorizeUrl(changes));
}

/** From the account picker to whatever follows the password. */
async function signIn(page: Page, user = "alice"): Promise<Page> {
  const asked = await page.press(`account-${user}`);
  return asked.press("sign-in", { password: passwordOf(tenant, user) });
}

function answerOf(page: Page): Record<string, string> {
  expect(page.status).toBe(302);
  expect(page.location?.href.startsWith(CALLBACK)).toBe(true);
  return Object.fromEntries(page.location?.searchParams ?? []);
}

const codeForm = (code: string | undefined, changes: Record<string, string> = {}) => ({
  ...asClient(tenant, "service"),
  grant_type: "authorization_code",
  redirect_uri: CALLBACK,
  code: code ?? "",
  ...changes,
});

describe("shown on a page and never redirected", () => {
  test.each<[string, string, Record<string, string | undefined>]>([
    ["no client id", "AADSTS900144", { client_id: undefined }],
    ["an unknown client", "AADSTS700016", { client_id: "99999999-0000-4000-8000-000000000000" }],
    ["a client id that is none", "AADSTS700016", { client_id: "<script>alert(1)</script>" }],
    ["no redirect URI", "AADSTS900971", { redirect_uri: undefined }],
    ["another redirect URI", "AADSTS50011", { redirect_uri: "https://elsewhere.example/callback" }],
    ["one more path segment", "AADSTS50011", { redirect_uri: `${CALLBACK}/more` }],
    ["another case of the path", "AADSTS50011", { redirect_uri: "http://localhost:7071/oauth2/Callback" }],
    ["a query added", "AADSTS50011", { redirect_uri: `${CALLBACK}?next=x` }],
    ["credentials in front of the host", "AADSTS50011", { redirect_uri: "http://x@localhost:7071/oauth2/callback" }],
    ["a response mode that is none", "AADSTS90023", { response_mode: "web_message" }],
  ])("%s: %s", async (_, code, changes) => {
    const page = await open(changes);
    expect(page.text("error-code")).toBe(code);
    expect(page.location).toBeUndefined();
    expect(page.html).not.toContain("<script>");
    expect(page.status).toBe(400);
  });

  test("a repeated parameter, an unknown tenant, personal accounts only", async () => {
    const browser = createScriptedBrowser();
    expect((await browser.open(`${authorizeUrl()}&state=2`)).text("error-code")).toBe("AADSTS9000411");
    expect((await browser.open(authorizeUrl({}, "nowhere.example"))).text("error-code")).toBe("AADSTS90002");
    expect((await browser.open(authorizeUrl({}, "consumers"))).text("error-code")).toBe("AADSTS9001023");
  });

  test("a page that nobody started, or that is too old", async () => {
    const browser = createScriptedBrowser();
    const page = await browser.open(authorizeUrl());
    tenant.state.setClockOffset({ offsetMs: 2 * 3_600_000 });
    expect((await page.press("account-alice")).text("error-code")).toBe("AADSTS50012");
    const body = new URLSearchParams({ flow: "made up", password: "x" });
    const forged = await fetch(`${tenant.url}/${TENANT_ID}/login`, { method: "POST", body });
    expect(await forged.text()).toContain("AADSTS50012");
  });
});

describe("told to the client", () => {
  test.each<[string, string, string, Record<string, string | undefined>]>([
    ["no response type", "invalid_request", "900144", { response_type: undefined }],
    ["a token in the front channel", "unsupported_response_type", "700051", { response_type: "token" }],
    ["an ID token in the front channel", "unsupported_response_type", "700054", { response_type: "code id_token" }],
    ["no scope", "invalid_request", "900144", { scope: undefined }],
    ["a scope that the resource has not", "invalid_client", "650053", { scope: "https://graph.microsoft.com/No.Such" }],
    ["a malformed scope", "invalid_scope", "70011", { scope: 'a"b' }],
    ["a resource that the tenant has not", "invalid_resource", "500011", { scope: "api://nobody/x" }],
    ["a prompt that is none", "invalid_request", "90023", { prompt: "sometimes" }],
    ["claims that are not JSON", "invalid_request", "90013", { claims: "{" }],
    ["a short code challenge", "invalid_request", "501491", { code_challenge: "abc", code_challenge_method: "S256" }],
    ["another challenge method", "invalid_request", "90023", { code_challenge_method: "S512" }],
    ["prompt=none and nobody signed in", "login_required", "50058", { prompt: "none" }],
  ])("%s: %s, AADSTS%s", async (_, error, code, changes) => {
    const answer = answerOf(await open(changes));
    expect(answer).toMatchObject({ error, state: "the state" });
    expect(answer["error_description"]).toMatch(new RegExp(`^AADSTS${code}: .+ Trace ID: .+ Timestamp: .+Z$`));
    expect(answer["error_uri"]).toBe(`${tenant.url}/error?code=${code}`);
    expect(answer).not.toHaveProperty("code");
  });

  test("consent declined: access_denied, 65004, subcode cancel", async () => {
    const page = await signIn(await open(), "carol");
    expect(page.text("app-name")).toBe("graph-token-exchange");
    expect(page.text("scopes")).toContain("User.Read");
    const answer = answerOf(await page.press("cancel"));
    expect(answer).toMatchObject({ error: "access_denied", error_subcode: "cancel", state: "the state" });
    expect(answer["error_description"]).toContain("AADSTS65004");
  });

  test("a person who is not assigned to the application: 50105", async () => {
    tenant.state.changeRegistration({ app: "service", assignmentRequired: true });
    const changes = { client_id: CLIENT_IDS.web, redirect_uri: "http://localhost:8400/callback", scope: SERVICE_SCOPE };
    const page = await signIn(await open(changes));
    expect(page.location?.searchParams.get("error_description")).toContain("AADSTS50105");
    expect(page.location?.searchParams.get("error")).toBe("access_denied");
  });

  test("what was ordered: an outage of the authorization endpoint is a redirect as well", async () => {
    tenant.state.order({ endpoint: "authorize", aadsts: 90033 });
    expect(answerOf(await open())).toMatchObject({ error: "temporarily_unavailable", state: "the state" });
    tenant.state.order({ endpoint: "authorize", aadsts: 90033 });
    expect((await open({ client_id: "nobody" })).text("error-code")).toBe("AADSTS700016");
  });
});

describe("the pages", () => {
  test("account, password, code: and a second sign-in goes straight through", async () => {
    const browser = createScriptedBrowser();
    const first = await open({}, browser);
    expect(first.status).toBe(200);
    const answer = answerOf(await signIn(first));
    expect(Object.keys(answer)).toEqual(["code", "session_state", "state"]);
    const second = answerOf(await open({ state: "another" }, browser));
    expect(second).toMatchObject({ state: "another", session_state: answer["session_state"] });
    expect(second["code"]).not.toBe(answer["code"]);
    const token = await postToken(tenant, codeForm(second["code"]));
    expect(token.body["scope"]).toContain("Mail.Read");
    expect(token.body["refresh_token"]).toBeTypeOf("string");
  });

  test.each<[string, string, Parameters<typeof tenant.state.changeUser>[0]]>([
    ["a wrong password", "Error validating credentials", { user: "alice" }],
    ["a locked account", "The account is locked", { user: "alice", locked: true }],
    ["a disabled account", "The user account is disabled", { user: "alice", disabled: true }],
    ["an expired password", "The password is expired", { user: "alice", passwordExpired: true }],
  ])("%s is said on the page, and one can try again", async (name, text, change) => {
    tenant.state.changeUser(change);
    const asked = await (await open()).press("account-alice");
    const password = name.startsWith("a wrong") ? "guess" : passwordOf(tenant, "alice");
    const refused = await asked.press("sign-in", { password });
    expect(refused.text("error")).toContain(text);
    tenant.state.changeUser({ user: "alice", locked: false, disabled: false, passwordExpired: false });
    expect(answerOf(await refused.press("sign-in", { password: passwordOf(tenant, "alice") }))).toHaveProperty("code");
  });

  test("another account by name; a name that the tenant does not know", async () => {
    const page = await open();
    const unknown = await page.press("next", { username: "nobody@contoso.local" });
    expect(unknown.text("error")).toContain("nobody@contoso.local");
    const asked = await unknown.press("next", { username: "Bob@contoso.local" });
    expect(asked.text("signing-in-as")).toBe("bob@contoso.local");
    const back = await asked.press("other-account");
    expect(back.html).toContain('id="account-alice"');
  });

  test("login_hint goes to the password, and one can still take another account", async () => {
    const asked = await open({ login_hint: "bob@contoso.local" });
    expect(asked.text("signing-in-as")).toBe("bob@contoso.local");
    expect((await asked.press("other-account")).html).toContain('id="account-carol"');
    expect((await open({ login_hint: "nobody@elsewhere.example" })).html).toContain('id="account-alice"');
  });

  test("a text from outside stays text", async () => {
    const page = await (await open()).press("next", { username: '"><script>alert(1)</script>' });
    expect(page.html).not.toContain("<script>alert");
  });

  test("prompt: login asks for the password, select_account for the account, consent for consent", async () => {
    const browser = createScriptedBrowser();
    await signIn(await open({}, browser));
    const login = await open({ prompt: "login", login_hint: "alice@contoso.local" }, browser);
    expect(login.text("signing-in-as")).toBe("alice@contoso.local");
    const select = await open({ prompt: "select_account" }, browser);
    expect(select.html).toContain("alice@contoso.local, signed in");
    expect(answerOf(await select.press("account-alice"))).toHaveProperty("code");
    const consent = await open({ prompt: "consent" }, browser);
    expect(consent.text("scopes")).toContain("User.Read");
    expect(answerOf(await consent.press("accept"))).toHaveProperty("code");
    expect(answerOf(await open({ prompt: "none" }, browser))).toHaveProperty("code");
  });

  test("prompt=none never shows a page: consent, second factor, two accounts", async () => {
    const browser = createScriptedBrowser();
    await signIn(await open({}, browser));
    tenant.state.requireClaims({ user: "alice" });
    const factor = answerOf(await open({ prompt: "none" }, browser));
    expect([factor["error"], factor["error_description"]?.slice(0, 11)]).toEqual([
      "interaction_required",
      "AADSTS50076",
    ]);
    tenant.state.clearRequirements();
    tenant.state.withdrawConsent({ user: "alice", scopes: ["User.Read"] });
    expect(answerOf(await open({ prompt: "none" }, browser))["error"]).toBe("interaction_required");
    tenant.state.requireClaims({ user: "alice", code: 53003 });
    expect(answerOf(await open({ prompt: "none" }, browser))["error"]).toBe("interaction_required");
    await signIn(await open({ prompt: "select_account" }, browser), "bob");
    expect(answerOf(await open({ prompt: "none" }, browser))["error_description"]).toContain("AADSTS16000");
    const hinted = answerOf(await open({ prompt: "none", login_hint: "carol@contoso.local" }, browser));
    expect(hinted["error"]).toBe("login_required");
  });

  test("two accounts: the picker knows both, a revoked one must sign in again", async () => {
    const browser = createScriptedBrowser();
    await signIn(await open({}, browser));
    await signIn(await open({ prompt: "login" }, browser), "bob");
    const page = await open({}, browser);
    expect(page.html).toContain("alice@contoso.local, signed in");
    tenant.state.revokeSessions({ user: "alice" });
    const again = await page.press("account-alice");
    expect(again.text("signing-in-as")).toBe("alice@contoso.local");
  });

  test("a cookie that this tenant did not make is nobody's session", async () => {
    const browser = createScriptedBrowser();
    browser.cookies.set("ESTSAUTH", Buffer.alloc(64).toString("base64url"));
    expect((await open({}, browser)).html).toContain('id="account-alice"');
  });

  test("consent given once is kept, and carol's exchange works from then on", async () => {
    const assertion = () => tenant.state.mintUserToken({ user: "carol" });
    const before = await postToken(tenant, onBehalfOfForm(tenant, { assertion: assertion() }));
    expect(before.body["error_codes"]).toEqual([65001]);
    const page = await signIn(await open(), "carol");
    expect(answerOf(await page.press("accept"))).toHaveProperty("code");
    const after = await postToken(tenant, onBehalfOfForm(tenant, { assertion: assertion() }));
    expect(after.status).toBe(200);
    expect(answerOf(await signIn(await open(), "carol"))).toHaveProperty("code");
  });

  test(".default asks for what the registration needs", async () => {
    const page = await signIn(await open({ scope: "https://graph.microsoft.com/.default openid" }), "carol");
    expect(page.text("scopes")).toMatch(/^User\.Read\s+Mail\.Read\s+openid$/);
    const code = answerOf(await page.press("accept"))["code"];
    expect((await postToken(tenant, codeForm(code))).body["scope"]).toContain("Mail.Read");
  });

  test("logout ends the session, and goes back to registered addresses only", async () => {
    const browser = createScriptedBrowser();
    await signIn(await open({}, browser));
    const logout = `${tenant.url}/${TENANT_ID}/oauth2/v2.0/logout`;
    const query = new URLSearchParams({ post_logout_redirect_uri: CALLBACK, state: "bye" });
    expect((await browser.open(`${logout}?${query}`)).location?.href).toBe(`${CALLBACK}?state=bye`);
    expect((await open({}, browser)).html).toContain('id="account-alice"');
    const elsewhere = new URLSearchParams({ post_logout_redirect_uri: "https://elsewhere.example/" });
    const page = await browser.open(`${logout}?${elsewhere}`);
    expect([page.location, page.text("signed-out") === undefined]).toEqual([undefined, false]);
  });
});

describe("response modes", () => {
  test("fragment", async () => {
    const page = await signIn(await open({ response_mode: "fragment" }));
    expect(page.location?.search).toBe("");
    expect(new URLSearchParams(page.location?.hash.slice(1)).get("state")).toBe("the state");
  });

  test("form_post", async () => {
    const page = await signIn(await open({ response_mode: "form_post", state: '"&<' }));
    expect(page.status).toBe(200);
    expect(page.html).toContain(`action="${CALLBACK}"`);
    expect(page.html).toContain('name="state" value="&#34;&#38;&#60;"');
    expect(page.html).toMatch(/name="code" value="1\.AX/);
  });

  test("client_info=1 names the person; a POST with parameters in the form works too (OpenID Connect 3.1.2.1)", async () => {
    const answer = answerOf(await signIn(await open({ client_info: "1" })));
    const info: unknown = JSON.parse(Buffer.from(answer["client_info"] ?? "", "base64url").toString());
    expect(info).toEqual({ uid: USER_IDS.alice, utid: TENANT_ID });
    const url = new URL(authorizeUrl());
    const posted = await fetch(`${url.origin}${url.pathname}`, { method: "POST", body: url.searchParams });
    expect(await posted.text()).toContain('id="account-alice"');
  });
});

describe("the code (E-94, E-66)", () => {
  const redeemable = async (changes: Record<string, string | undefined> = {}) =>
    answerOf(await signIn(await open(changes)))["code"];
  const errorCodes = async (form: Record<string, string>) => (await postToken(tenant, form)).body["error_codes"];

  test("bound to redirect URI and client, used once", async () => {
    const code = await redeemable();
    const elsewhere = { redirect_uri: "http://localhost:7071/oauth2/callback2" };
    expect(await errorCodes(codeForm(code, elsewhere))).toEqual([500112]);
    expect(await errorCodes(codeForm(code, asClient(tenant, "web")))).toEqual([70000]);
    expect((await postToken(tenant, codeForm(code))).status).toBe(200);
    expect(await errorCodes(codeForm(code))).toEqual([54005]);
  });

  test("ten minutes", async () => {
    const code = await redeemable();
    tenant.state.setClockOffset({ offsetMs: 11 * 60_000 });
    expect(await errorCodes(codeForm(code))).toEqual([70008]);
  });

  test("PKCE: S256 and plain, verifier wrong or missing 501481", async () => {
    const verifier = randomBytes(32).toString("base64url");
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const s256 = await redeemable({ code_challenge: challenge, code_challenge_method: "S256" });
    expect(await errorCodes(codeForm(s256))).toEqual([501481]);
    expect(await errorCodes(codeForm(s256, { code_verifier: challenge }))).toEqual([501481]);
    expect((await postToken(tenant, codeForm(s256, { code_verifier: verifier }))).status).toBe(200);
    const plain = await redeemable({ code_challenge: verifier });
    expect((await postToken(tenant, codeForm(plain, { code_verifier: verifier }))).status).toBe(200);
  });

  test("the nonce comes back in the ID token", async () => {
    const code = await redeemable({ nonce: "n-123" });
    const { body } = await postToken(tenant, codeForm(code));
    expect(decodeCompact(String(body["id_token"]))?.payload["nonce"]).toBe("n-123");
  });
});

describe("demands (CC-3): refused, met at the sign-in, accepted", () => {
  const web = { client_id: CLIENT_IDS.web, redirect_uri: "http://localhost:8400/callback", scope: SERVICE_SCOPE };

  async function callerToken(browser: ScriptedBrowser, claims?: string): Promise<{ asked: boolean; token: string }> {
    const opened = await browser.open(authorizeUrl({ ...web, login_hint: "alice@contoso.local", claims }));
    const page =
      opened.text("signing-in-as") !== undefined && opened.html.includes('id="password"')
        ? await opened.press("sign-in", { password: passwordOf(tenant, "alice") })
        : opened;
    const asked = page.html.includes('id="approve"');
    const done = asked ? await page.press("approve") : page;
    const code = done.location?.searchParams.get("code") ?? "";
    const form = { ...asClient(tenant, "web"), grant_type: "authorization_code", redirect_uri: web.redirect_uri, code };
    return { asked, token: String((await postToken(tenant, form)).body["access_token"]) };
  }

  test.each([{}, { authContext: "c1" }])("conditional access %o", async (demand) => {
    const browser = createScriptedBrowser();
    tenant.state.requireClaims({ user: "alice", ...demand });
    const first = await callerToken(browser);
    expect(first.asked).toBe(false);
    const refused = await postToken(tenant, onBehalfOfForm(tenant, { assertion: first.token }));
    expect(refused.body).toMatchObject({ error_codes: [50076], suberror: "basic_action" });
    const claims = String(refused.body["claims"]);
    const second = await callerToken(browser, claims);
    expect(second.asked).toBe(true);
    const accepted = await postToken(tenant, onBehalfOfForm(tenant, { assertion: second.token, claims }));
    expect(accepted.status).toBe(200);
    expect((await callerToken(browser, claims)).asked).toBe(false);
    if (demand.authContext) expect(decodeCompact(second.token)?.payload["acrs"]).toEqual(["c1"]);
  });

  test("deny is said on the page, and one can still approve", async () => {
    tenant.state.requireClaims({ user: "alice" });
    const page = await (await signIn(await open())).press("deny");
    expect(page.text("error")).toContain("Strong Authentication is required");
    expect(answerOf(await page.press("approve"))).toHaveProperty("code");
  });

  test("a policy that blocks (53003) is a page, and the client hears nothing", async () => {
    tenant.state.requireClaims({ user: "alice", code: 53003 });
    const page = await signIn(await open());
    expect([page.text("error-code"), page.location]).toEqual(["AADSTS53003", undefined]);
  });

  test("claims on a refresh that the sign-in did not meet: 50076 with those claims", async () => {
    const code = answerOf(await signIn(await open()))["code"];
    const { body } = await postToken(tenant, codeForm(code));
    const claims = JSON.stringify({
      access_token: { acrs: { essential: true, value: "c2" }, xms_cc: { values: ["cp1"] } },
    });
    const refresh_token = String(body["refresh_token"]);
    const form = { ...asClient(tenant, "service"), grant_type: "refresh_token", refresh_token, claims };
    const refused = await postToken(tenant, form);
    expect(refused.body["error_codes"]).toEqual([50076]);
    expect(JSON.parse(String(refused.body["claims"]))).toEqual({
      access_token: { acrs: { essential: true, value: "c2" } },
    });
  });
});

describe("MSAL Node, confidential", () => {
  test("authorization code with PKCE, state, nonce and claims, end to end", async () => {
    const app = new ConfidentialClientApplication({
      auth: {
        clientId: CLIENT_IDS.service,
        clientSecret: secretOf(tenant, "service"),
        authority: `${tenant.url}/${TENANT_ID}`,
        knownAuthorities: [new URL(tenant.url).host],
      },
    });
    const codeVerifier = randomBytes(32).toString("base64url");
    const codeChallenge = createHash("sha256").update(codeVerifier).digest("base64url");
    const request = { scopes: [GRAPH_SCOPE], redirectUri: CALLBACK, state: "s", nonce: "n" };
    const url = await app.getAuthCodeUrl({
      ...request,
      codeChallenge,
      codeChallengeMethod: "S256",
      prompt: "select_account",
    });
    const answer = answerOf(await signIn(await createScriptedBrowser().open(url), "bob"));
    expect(answer).toMatchObject({ state: "s" });
    const { code = "", client_info: clientInfo = "" } = answer;
    const result = await app.acquireTokenByCode(
      { ...request, code, codeVerifier, clientInfo },
      { state: "s", nonce: "n", code },
    );
    expect(result?.account?.homeAccountId).toBe(`${USER_IDS.bob}.${TENANT_ID}`);
    expect(result?.idTokenClaims).toMatchObject({ nonce: "n" });
  });

  test("without a browser: the control operation answers like the pages", async () => {
    const signedIn = tenant.state.signIn({ url: authorizeUrl({ nonce: "n" }), user: "bob" });
    const code = new URL(signedIn.location).searchParams.get("code") ?? "";
    expect((await postToken(tenant, codeForm(code))).status).toBe(200);
    const declined = tenant.state.signIn({ url: authorizeUrl(), user: "carol", consent: "cancel" });
    expect(declined.location).toContain("error_subcode=cancel");
    const consented = tenant.state.signIn({ url: authorizeUrl(), user: "carol" });
    expect(consented.location).toContain("code=");
    tenant.state.requireClaims({ user: "bob" });
    expect(tenant.state.signIn({ url: authorizeUrl(), user: "bob" }).location).toContain("code=");
    expect(tenant.state.signIn({ url: authorizeUrl({ response_type: "x" }) }).location).toContain("error=");
    expect(() => tenant.state.signIn({ url: authorizeUrl(), user: "nobody" })).toThrow("nobody");
    expect(() => tenant.state.signIn({ url: authorizeUrl({ response_mode: "form_post" }) })).toThrow("page");
  });
});
