/**
 * Device code (E-95 to E-97): a sign-in on another device, with Entra's error names.
 */
import { PublicClientApplication } from "@azure/msal-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CLIENT_IDS, TENANT_ID } from "../../../local/tenant/directory/seed-ids.ts";
import { useTenant } from "../../support/use-tenant.ts";
import { createScriptedBrowser, type Page } from "./scripted-browser.ts";
import { type Answer, asClient, passwordOf, postToken, send } from "./tenant-client.ts";

const SCOPE = `api://${CLIENT_IDS.service}/access_as_user`;
const URN = "urn:ietf:params:oauth:grant-type:device_code";

const tenant = useTenant();
beforeEach(() => tenant.state.setDeviceCodeInterval({ seconds: 0.01 }));
afterEach(() => tenant.state.reset());

function start(changes: Record<string, string> = {}): Promise<Answer> {
  const form = { client_id: CLIENT_IDS.cli, scope: `${SCOPE} openid profile offline_access`, ...changes };
  const body = new URLSearchParams(Object.entries(form).filter(([, value]) => value !== ""));
  return send(`${tenant.url}/${TENANT_ID}/oauth2/v2.0/devicecode`, { method: "POST", body });
}

function poll(started: Answer, changes: Record<string, string> = {}): Promise<Answer> {
  const device_code = String(started.body["device_code"]);
  return postToken(tenant, { client_id: CLIENT_IDS.cli, grant_type: URN, device_code, ...changes });
}

const outcome = ({ body }: Answer) => [body["error"], body["error_codes"]];

/** Opens the tenant's page for device codes and enters the code. */
async function enter(started: Answer): Promise<Page> {
  const page = await createScriptedBrowser().open(String(started.body["verification_uri"]));
  return page.press("next", { "user-code": String(started.body["user_code"]).toLowerCase() });
}

describe("POST /devicecode", () => {
  test("answers exactly the observed members, without verification_uri_complete", async () => {
    tenant.state.setDeviceCodeInterval({ seconds: 5 });
    const { status, body } = await start();
    expect(status).toBe(200);
    expect(Object.keys(body).sort()).toEqual([
      "device_code",
      "expires_in",
      "interval",
      "message",
      "user_code",
      "verification_uri",
    ]);
    expect(body).toMatchObject({ expires_in: 900, interval: 5 });
    expect(body["user_code"]).toMatch(/^[A-Z2-9]{9}$/);
    expect(body["message"]).toContain(String(body["user_code"]));
  });

  test("refuses a missing or unknown client, a missing or unknown scope, invalid claims and another method", async () => {
    expect(outcome(await start({ client_id: "" }))).toEqual(["invalid_request", [900144]]);
    expect(outcome(await start({ client_id: "nobody" }))).toEqual(["unauthorized_client", [700016]]);
    expect(outcome(await start({ scope: "" }))).toEqual(["invalid_request", [900144]]);
    expect(outcome(await start({ scope: "api://nobody/x" }))).toEqual(["invalid_resource", [500011]]);
    expect(outcome(await start({ claims: "[" }))).toEqual(["invalid_request", [90013]]);
    const get = await send(`${tenant.url}/${TENANT_ID}/oauth2/v2.0/devicecode`);
    expect(outcome(get)).toEqual(["invalid_request", [900561]]);
  });
});

describe("polling the token endpoint with a device code (E-96)", () => {
  test("answers authorization_pending until a user decides", async () => {
    const started = await start();
    expect(outcome(await poll(started))).toEqual(["authorization_pending", [70016]]);
    expect(tenant.state.approveDeviceCode({ user: "bob" })).toEqual({
      userCode: started.body["user_code"],
      approved: true,
    });
    const answer = await poll(started);
    expect(answer.status).toBe(200);
    expect(answer.body["scope"]).toBe(SCOPE);
    expect(answer.body).toHaveProperty("refresh_token");
    expect(answer.body).toHaveProperty("id_token");
    expect(tenant.state.requests({ grantType: "device_code" })).toHaveLength(2);
  });

  test("answers authorization_declined after the user declined", async () => {
    const started = await start();
    tenant.state.declineDeviceCode({ userCode: String(started.body["user_code"]) });
    expect(outcome(await poll(started))).toEqual(["authorization_declined", [70018]]);
  });

  test("answers bad_verification_code for an unknown code and for a code of another client", async () => {
    const started = await start();
    expect(outcome(await poll(started, { device_code: "x" }))).toEqual(["bad_verification_code", [70018]]);
    expect(outcome(await poll(started, { client_id: CLIENT_IDS.public }))).toEqual(["bad_verification_code", [70018]]);
    expect(outcome(await poll(started, { device_code: "" }))).toEqual(["invalid_request", [900144]]);
  });

  test("answers expired_token, also for an approved code that the client redeems too late", async () => {
    const started = await start();
    tenant.state.approveDeviceCode();
    tenant.state.setClockOffset({ offsetMs: 901_000 });
    expect(outcome(await poll(started))).toEqual(["expired_token", [70020]]);
    expect(() => tenant.state.approveDeviceCode()).toThrow("no device waits");
  });

  test("accepts both names of the grant type, and redeems a code once", async () => {
    const started = await start();
    expect(tenant.state.listDeviceCodes()).toEqual([{ userCode: started.body["user_code"], clientId: CLIENT_IDS.cli }]);
    tenant.state.approveDeviceCode();
    expect((await poll(started, { grant_type: "device_code" })).status).toBe(200);
    expect(outcome(await poll(started))).toEqual(["invalid_grant", [54005]]);
  });

  test("answers 7000218 to a confidential client without its secret, unless public client flows are allowed (E-97)", async () => {
    const started = await start({ client_id: CLIENT_IDS.web });
    tenant.state.approveDeviceCode();
    expect(outcome(await poll(started, { client_id: CLIENT_IDS.web }))).toEqual(["invalid_client", [7000218]]);
    tenant.state.changeRegistration({ app: "web", allowPublicClientFlows: true });
    expect((await poll(started, { client_id: CLIENT_IDS.web })).status).toBe(200);
    const second = await start({ client_id: CLIENT_IDS.web });
    tenant.state.approveDeviceCode();
    expect((await poll(second, asClient(tenant, "web"))).status).toBe(200);
  });
});

describe("the page for device codes", () => {
  test("asks for code, account, password and second factor, and then for a confirmation", async () => {
    tenant.state.requireClaims({ user: "alice", resource: "service" });
    const started = await start();
    const picked = await (await enter(started)).press("account-alice");
    const factor = await picked.press("sign-in", { password: passwordOf(tenant, "alice") });
    const asked = await factor.press("approve");
    expect(asked.text("app-name")).toBe("Contoso Command Line");
    expect(outcome(await poll(started))).toEqual(["authorization_pending", [70016]]);
    expect((await asked.press("continue")).text("device-approved")).toContain("You may now close this window");
    expect((await poll(started)).status).toBe(200);
  });

  test("declines the device code when the user cancels", async () => {
    const started = await start();
    const picked = await (await enter(started)).press("account-alice");
    const asked = await picked.press("sign-in", { password: passwordOf(tenant, "alice") });
    expect((await asked.press("cancel")).text("device-declined")).toContain("You declined");
    expect(outcome(await poll(started))).toEqual(["authorization_declined", [70018]]);
  });

  test("refuses a wrong code and a code that was used in the meantime", async () => {
    const started = await start();
    const page = await createScriptedBrowser().open(`${tenant.url}/devicelogin`);
    expect((await page.press("next", { "user-code": "AAAAAAAAA" })).text("error")).toContain("That code didn't work");
    const entered = await enter(started);
    tenant.state.declineDeviceCode();
    expect((await entered.press("account-alice")).text("error-code")).toBe("AADSTS70019");
  });

  test("shows the error of a blocking policy, and the device keeps waiting", async () => {
    tenant.state.requireClaims({ user: "alice", resource: "service", code: 53003 });
    const started = await start();
    const picked = await (await enter(started)).press("account-alice");
    const page = await picked.press("sign-in", { password: passwordOf(tenant, "alice") });
    expect(page.text("error-code")).toBe("AADSTS53003");
    expect(tenant.state.approveDeviceCode().approved).toBe(false);
    expect(outcome(await poll(started))).toEqual(["authorization_pending", [70016]]);
  });
});

describe("a public client with MSAL Node", () => {
  const application = () =>
    new PublicClientApplication({
      auth: {
        clientId: CLIENT_IDS.cli,
        authority: `${tenant.url}/${TENANT_ID}`,
        knownAuthorities: [new URL(tenant.url).host],
      },
    });

  test("gets a token by device code, then silently; unsatisfied claims need the user again", async () => {
    const app = application();
    const deviceCodeCallback = () => void tenant.state.approveDeviceCode({ user: "bob" });
    const first = await app.acquireTokenByDeviceCode({ scopes: [SCOPE], deviceCodeCallback });
    expect(first?.account?.username).toBe("bob@contoso.local");
    const account = first?.account;
    if (account === undefined || account === null) throw new Error("no account");
    const silent = await app.acquireTokenSilent({ scopes: [SCOPE], account, forceRefresh: true });
    expect(silent.accessToken).not.toBe(first?.accessToken);
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
    await expect(app.acquireTokenSilent({ scopes: [SCOPE], account, claims })).rejects.toMatchObject({
      name: "InteractionRequiredAuthError",
      claims,
    });
  });

  test("gets an error when the user declined", async () => {
    const deviceCodeCallback = () => void tenant.state.declineDeviceCode();
    const request = application().acquireTokenByDeviceCode({ scopes: [SCOPE], deviceCodeCallback });
    await expect(request).rejects.toThrow("authorization_declined");
  });

  test("signs in interactively: system browser, loopback address with any port, PKCE", async () => {
    const browser = createScriptedBrowser();
    const result = await application().acquireTokenInteractive({
      scopes: [SCOPE],
      openBrowser: async (url) => {
        const asked = await (await browser.open(url)).press("account-bob");
        const done = await asked.press("sign-in", { password: passwordOf(tenant, "bob") });
        await done.press("continue"); // MSAL accepts form_post only.
      },
    });
    expect(result.account?.username).toBe("bob@contoso.local");
    const [authorize] = tenant.state.requests({ endpoint: "authorize" });
    expect(authorize?.query).toMatchObject({ code_challenge_method: "S256", client_id: CLIENT_IDS.cli });
  });
});
