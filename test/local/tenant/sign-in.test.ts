/**
 * The sign-in pages: the page that Entra shows, the errors that go to the client, and their texts.
 */
import { createHash, randomBytes } from "node:crypto";
import { ConfidentialClientApplication } from "@azure/msal-node";
import { afterEach, describe, expect, test } from "vitest";
import { CLIENT_IDS, TENANT_ID, USER_IDS } from "../../../local/tenant/directory/seed-ids.ts";
import { decodeCompact } from "../../../local/tenant/keys/compact-jws.ts";
import { useTenant } from "../../support/use-tenant.ts";
import { createScriptedBrowser, type Page, type ScriptedBrowser } from "./scripted-browser.ts";
import { asClient, onBehalfOfForm, passwordOf, postToken, secretOf } from "./tenant-client.ts";

const CALLBACK = "http://localhost:7071/oauth2/callback";
const GRAPH_SCOPE = "https://graph.microsoft.com/User.Read";
const SERVICE_SCOPE = `api://${CLIENT_IDS.service}/access_as_user`;

const tenant = useTenant();
afterEach(() => tenant.state.reset());

/** A valid request of the service with changed parameters. `undefined` removes a parameter. */
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

/** Goes from the account picker to the page after the password. */
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

describe("/authorize shows an error page and never redirects", () => {
  test.each<[string, string, Record<string, string | undefined>]>([
    ["no client id", "AADSTS900144", { client_id: undefined }],
    ["an unknown client", "AADSTS700016", { client_id: "99999999-0000-4000-8000-000000000000" }],
    ["an invalid client id", "AADSTS700016", { client_id: "<script>alert(1)</script>" }],
    ["no redirect URI", "AADSTS900971", { redirect_uri: undefined }],
    ["another redirect URI", "AADSTS50011", { redirect_uri: "https://elsewhere.example/callback" }],
    ["one more path segment", "AADSTS50011", { redirect_uri: `${CALLBACK}/more` }],
    ["another case of the path", "AADSTS50011", { redirect_uri: "http://localhost:7071/oauth2/Callback" }],
    ["a query added", "AADSTS50011", { redirect_uri: `${CALLBACK}?next=x` }],
    ["credentials in front of the host", "AADSTS50011", { redirect_uri: "http://x@localhost:7071/oauth2/callback" }],
    ["an unknown response mode", "AADSTS90023", { response_mode: "web_message" }],
  ])("for %s: %s", async (_, code, changes) => {
    const page = await open(changes);
    expect(page.text("error-code")).toBe(code);
    expect(page.location).toBeUndefined();
    expect(page.html).not.toContain("<script>");
    expect(page.status).toBe(400);
  });

  test("for a repeated parameter, an unknown tenant and the tenant of personal accounts", async () => {
    const browser = createScriptedBrowser();
    expect((await browser.open(`${authorizeUrl()}&state=2`)).text("error-code")).toBe("AADSTS9000411");
    expect((await browser.open(authorizeUrl({}, "nowhere.example"))).text("error-code")).toBe("AADSTS90002");
    expect((await browser.open(authorizeUrl({}, "consumers"))).text("error-code")).toBe("AADSTS9001023");
  });

  test("for the answer to a page that was not started or is too old", async () => {
    const browser = createScriptedBrowser();
    const page = await browser.open(authorizeUrl());
    tenant.state.setClockOffset({ offsetMs: 2 * 3_600_000 });
    expect((await page.press("account-alice")).text("error-code")).toBe("AADSTS50012");
    const body = new URLSearchParams({ flow: "made up", password: "x" });
    const forged = await fetch(`${tenant.url}/${TENANT_ID}/login`, { method: "POST", body });
    expect(await forged.text()).toContain("AADSTS50012");
  });
});

describe("/authorize redirects to the client with an error", () => {
  test.each<[string, string, string, Record<string, string | undefined>]>([
    ["no response type", "invalid_request", "900144", { response_type: undefined }],
    ["a token in the front channel", "unsupported_response_type", "700051", { response_type: "token" }],
    ["an ID token in the front channel", "unsupported_response_type", "700054", { response_type: "code id_token" }],
    ["no scope", "invalid_request", "900144", { scope: undefined }],
    ["a scope that the resource has not", "invalid_client", "650053", { scope: "https://graph.microsoft.com/No.Such" }],
    ["a malformed scope", "invalid_scope", "70011", { scope: 'a"b' }],
    ["an unknown resource", "invalid_resource", "500011", { scope: "api://nobody/x" }],
    ["an unknown prompt", "invalid_request", "90023", { prompt: "sometimes" }],
    ["claims that are not JSON", "invalid_request", "90013", { claims: "{" }],
    ["a short code challenge", "invalid_request", "501491", { code_challenge: "abc", code_challenge_method: "S256" }],
    ["another challenge method", "invalid_request", "90023", { code_challenge_method: "S512" }],
    ["prompt=none without a signed-in user", "login_required", "50058", { prompt: "none" }],
  ])("for %s: %s, AADSTS%s", async (_, error, code, changes) => {
    const answer = answerOf(await open(changes));
    expect(answer).toMatchObject({ error, state: "the state" });
    expect(answer["error_description"]).toMatch(new RegExp(`^AADSTS${code}: .+ Trace ID: .+ Timestamp: .+Z$`));
    expect(answer["error_uri"]).toBe(`${tenant.url}/error?code=${code}`);
    expect(answer).not.toHaveProperty("code");
  });

  test("for declined consent: access_denied, 65004, subcode cancel", async () => {
    const page = await signIn(await open(), "carol");
    expect(page.text("app-name")).toBe("graph-token-exchange");
    expect(page.text("scopes")).toContain("User.Read");
    const answer = answerOf(await page.press("cancel"));
    expect(answer).toMatchObject({ error: "access_denied", error_subcode: "cancel", state: "the state" });
    expect(answer["error_description"]).toContain("AADSTS65004");
  });

  test("for a user who is not assigned to the application: 50105", async () => {
    tenant.state.changeRegistration({ app: "service", assignmentRequired: true });
    const changes = { client_id: CLIENT_IDS.web, redirect_uri: "http://localhost:8400/callback", scope: SERVICE_SCOPE };
    const page = await signIn(await open(changes));
    expect(page.location?.searchParams.get("error_description")).toContain("AADSTS50105");
    expect(page.location?.searchParams.get("error")).toBe("access_denied");
  });

  test("for a scripted outage of the authorization endpoint", async () => {
    tenant.state.order({ endpoint: "authorize", aadsts: 90033 });
    expect(answerOf(await open())).toMatchObject({ error: "temporarily_unavailable", state: "the state" });
    tenant.state.order({ endpoint: "authorize", aadsts: 90033 });
    expect((await open({ client_id: "nobody" })).text("error-code")).toBe("AADSTS700016");
  });
});

describe("the sign-in pages", () => {
  test("lead from account and password to the code; a second sign-in shows no page", async () => {
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
  ])("show the error for %s, and the user can try again", async (name, text, change) => {
    tenant.state.changeUser(change);
    const asked = await (await open()).press("account-alice");
    const password = name.startsWith("a wrong") ? "guess" : passwordOf(tenant, "alice");
    const refused = await asked.press("sign-in", { password });
    expect(refused.text("error")).toContain(text);
    tenant.state.changeUser({ user: "alice", locked: false, disabled: false, passwordExpired: false });
    expect(answerOf(await refused.press("sign-in", { password: passwordOf(tenant, "alice") }))).toHaveProperty("code");
  });

  test("accept another account by name and refuse an unknown name", async () => {
    const page = await open();
    const unknown = await page.press("next", { username: "nobody@contoso.local" });
    expect(unknown.text("error")).toContain("nobody@contoso.local");
    const asked = await unknown.press("next", { username: "Bob@contoso.local" });
    expect(asked.text("signing-in-as")).toBe("bob@contoso.local");
    const back = await asked.press("other-account");
    expect(back.html).toContain('id="account-alice"');
  });

  test("start at the password for login_hint, and the user can still choose another account", async () => {
    const asked = await open({ login_hint: "bob@contoso.local" });
    expect(asked.text("signing-in-as")).toBe("bob@contoso.local");
    expect((await asked.press("other-account")).html).toContain('id="account-carol"');
    expect((await open({ login_hint: "nobody@elsewhere.example" })).html).toContain('id="account-alice"');
  });

  test("escape text from the request", async () => {
    const page = await (await open()).press("next", { username: '"><script>alert(1)</script>' });
    expect(page.html).not.toContain("<script>alert");
  });

  test("follow prompt: login asks for the password, select_account for the account, consent for consent", async () => {
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

  test("are not shown for prompt=none: consent, second factor and two accounts are errors", async () => {
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

  test("list both signed-in accounts; a revoked one must sign in again", async () => {
    const browser = createScriptedBrowser();
    await signIn(await open({}, browser));
    await signIn(await open({ prompt: "login" }, browser), "bob");
    const page = await open({}, browser);
    expect(page.html).toContain("alice@contoso.local, signed in");
    tenant.state.revokeSessions({ user: "alice" });
    const again = await page.press("account-alice");
    expect(again.text("signing-in-as")).toBe("alice@contoso.local");
  });

  test("ignore a session cookie that this tenant did not issue", async () => {
    const browser = createScriptedBrowser();
    browser.cookies.set("ESTSAUTH", Buffer.alloc(64).toString("base64url"));
    expect((await open({}, browser)).html).toContain('id="account-alice"');
  });

  test("store consent, so that carol's exchange works afterwards", async () => {
    const assertion = () => tenant.state.mintUserToken({ user: "carol" });
    const before = await postToken(tenant, onBehalfOfForm(tenant, { assertion: assertion() }));
    expect(before.body["error_codes"]).toEqual([65001]);
    const page = await signIn(await open(), "carol");
    expect(answerOf(await page.press("accept"))).toHaveProperty("code");
    const after = await postToken(tenant, onBehalfOfForm(tenant, { assertion: assertion() }));
    expect(after.status).toBe(200);
    expect(answerOf(await signIn(await open(), "carol"))).toHaveProperty("code");
  });

  test("ask consent for the required permissions of the registration for .default", async () => {
    const page = await signIn(await open({ scope: "https://graph.microsoft.com/.default openid" }), "carol");
    expect(page.text("scopes")).toMatch(
      /^Sign you in and read your profile User\.Read\s+Read your mail Mail\.Read\s+Sign you in openid$/,
    );
    const code = answerOf(await page.press("accept"))["code"];
    expect((await postToken(tenant, codeForm(code))).body["scope"]).toContain("Mail.Read");
  });

  test("end the session at logout and redirect to registered addresses only", async () => {
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

describe("the answer of /authorize", () => {
  test("is in the fragment for response_mode=fragment", async () => {
    const page = await signIn(await open({ response_mode: "fragment" }));
    expect(page.location?.search).toBe("");
    expect(new URLSearchParams(page.location?.hash.slice(1)).get("state")).toBe("the state");
  });

  test("is a form that posts itself for response_mode=form_post", async () => {
    const page = await signIn(await open({ response_mode: "form_post", state: '"&<' }));
    expect(page.status).toBe(200);
    expect(page.html).toContain(`action="${CALLBACK}"`);
    expect(page.html).toContain('name="state" value="&#34;&#38;&#60;"');
    expect(page.html).toMatch(/name="code" value="1\.AX/);
  });

  test("names the user for client_info=1, also for a POST with the parameters in the form (OpenID Connect 3.1.2.1)", async () => {
    const answer = answerOf(await signIn(await open({ client_info: "1" })));
    const info: unknown = JSON.parse(Buffer.from(answer["client_info"] ?? "", "base64url").toString());
    expect(info).toEqual({ uid: USER_IDS.alice, utid: TENANT_ID });
    const url = new URL(authorizeUrl());
    const posted = await fetch(`${url.origin}${url.pathname}`, { method: "POST", body: url.searchParams });
    expect(await posted.text()).toContain('id="account-alice"');
  });
});

describe("an authorization code (E-94, E-66)", () => {
  const redeemable = async (changes: Record<string, string | undefined> = {}) =>
    answerOf(await signIn(await open(changes)))["code"];
  const errorCodes = async (form: Record<string, string>) => (await postToken(tenant, form)).body["error_codes"];

  test("is bound to redirect URI and client and is valid once", async () => {
    const code = await redeemable();
    const elsewhere = { redirect_uri: "http://localhost:7071/oauth2/callback2" };
    expect(await errorCodes(codeForm(code, elsewhere))).toEqual([500112]);
    expect(await errorCodes(codeForm(code, asClient(tenant, "web")))).toEqual([70000]);
    expect((await postToken(tenant, codeForm(code))).status).toBe(200);
    expect(await errorCodes(codeForm(code))).toEqual([54005]);
  });

  test("is valid for ten minutes", async () => {
    const code = await redeemable();
    tenant.state.setClockOffset({ offsetMs: 11 * 60_000 });
    expect(await errorCodes(codeForm(code))).toEqual([70008]);
  });

  test("requires the PKCE verifier: S256 and plain, a wrong or missing one is 501481", async () => {
    const verifier = randomBytes(32).toString("base64url");
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const s256 = await redeemable({ code_challenge: challenge, code_challenge_method: "S256" });
    expect(await errorCodes(codeForm(s256))).toEqual([501481]);
    expect(await errorCodes(codeForm(s256, { code_verifier: challenge }))).toEqual([501481]);
    expect((await postToken(tenant, codeForm(s256, { code_verifier: verifier }))).status).toBe(200);
    const plain = await redeemable({ code_challenge: verifier });
    expect((await postToken(tenant, codeForm(plain, { code_verifier: verifier }))).status).toBe(200);
  });

  test("carries the nonce into the ID token", async () => {
    const code = await redeemable({ nonce: "n-123" });
    const { body } = await postToken(tenant, codeForm(code));
    expect(decodeCompact(String(body["id_token"]))?.payload["nonce"]).toBe("n-123");
  });
});

describe("claims demands (CC-3)", () => {
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

  test.each([{}, { authContext: "c1" }])(
    "of conditional access are refused, satisfied by a sign-in and then accepted: %o",
    async (demand) => {
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
    },
  );

  test("show an error when the user denies, and the user can still approve", async () => {
    tenant.state.requireClaims({ user: "alice" });
    const page = await (await signIn(await open())).press("deny");
    expect(page.text("error")).toContain("Strong Authentication is required");
    expect(answerOf(await page.press("approve"))).toHaveProperty("code");
  });

  test("of a blocking policy (53003) show a page, and the client gets no answer", async () => {
    tenant.state.requireClaims({ user: "alice", code: 53003 });
    const page = await signIn(await open());
    expect([page.text("error-code"), page.location]).toEqual(["AADSTS53003", undefined]);
  });

  test("on a refresh that the sign-in did not satisfy are refused: 50076 with those claims", async () => {
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

describe("a confidential client with MSAL Node", () => {
  test("redeems an authorization code with PKCE, state, nonce and claims", async () => {
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

  test("gets the same answer from the control operation signIn as from the pages", async () => {
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
    expect(() =>
      tenant.state.signIn({
        url: authorizeUrl({ response_mode: "form_post" }),
      }),
    ).toThrow("page");
  });
});
