/**
 * The token endpoint without scripted responses: each cause gives its code, each success has exactly its members.
 */
import { afterEach, describe, expect, test } from "vitest";
import { CLIENT_IDS, OBJECT_IDS, TENANT_ID, USER_IDS } from "../../../local/tenant/directory/seed-ids.ts";
import { decodeCompact } from "../../../local/tenant/keys/compact-jws.ts";
import { useTenant } from "../../support/use-tenant.ts";
import { type Answer, asClient, onBehalfOfForm, passwordOf, postToken, send } from "./tenant-client.ts";

const tenant = useTenant();
afterEach(() => {
  tenant.state.clearOrders();
  tenant.state.clearRequirements();
  tenant.state.setClockOffset({ offsetMs: 0 });
});

const SERVICE_SCOPE = `api://${CLIENT_IDS.service}/access_as_user`;
const DAY_MS = 24 * 3_600_000;

const exchange = (changes: Record<string, string> = {}) => postToken(tenant, onBehalfOfForm(tenant, changes));

function passwordForm(user = "alice", changes: Record<string, string> = {}): Record<string, string> {
  return {
    ...asClient(tenant, "web"),
    grant_type: "password",
    username: `${user}@contoso.local`,
    password: passwordOf(tenant, user),
    scope: SERVICE_SCOPE,
    ...changes,
  };
}

function appForm(changes: Record<string, string> = {}): Record<string, string> {
  return {
    ...asClient(tenant, "daemon"),
    grant_type: "client_credentials",
    scope: `api://${CLIENT_IDS.service}/.default`,
    ...changes,
  };
}

function refused({ status, body }: Answer) {
  return [status, Number(String(body["error_codes"]))];
}

function claimsOf(answer: Answer) {
  return decodeCompact(String(answer.body["access_token"]))?.payload ?? {};
}

describe("the token endpoint refuses a form or a client:", () => {
  test.each<[string, number, number, Record<string, string>]>([
    ["no grant_type", 400, 900144, { grant_type: "" }],
    ["unsupported grant", 400, 70003, { grant_type: "urn:example:magic" }],
    ["no client_id", 400, 900144, { client_id: "" }],
    ["unknown client", 400, 700016, { client_id: "99999999-0000-4000-8000-000000000000" }],
    ["client id that is no GUID", 400, 700016, { client_id: "me" }],
    ["nil client id", 400, 700038, { client_id: "00000000-0000-0000-0000-000000000000" }],
    ["no credential", 401, 7000218, { client_secret: "" }],
    ["wrong secret", 401, 7000215, { client_secret: "wrong" }],
    ["malformed client assertion", 401, 50027, { client_secret: "", client_assertion: "x" }],
    ["no assertion", 400, 900144, { assertion: "" }],
    ["no requested_token_use", 400, 900144, { requested_token_use: "" }],
    ["another requested_token_use", 400, 90013, { requested_token_use: "x" }],
    ["no scope", 400, 900144, { scope: "" }],
    ["unknown scope", 400, 70011, { scope: "https://graph.microsoft.com/Nonsense" }],
    [
      "default mixed with others",
      400,
      70011,
      { scope: "https://graph.microsoft.com/.default https://graph.microsoft.com/User.Read" },
    ],
    ["line break in a scope", 400, 70011, { scope: "User.Read\r\nX" }],
    ["two resources", 400, 28000, { scope: `User.Read https://api.contoso.local/orders/Orders.Read` }],
    ["unknown resource", 400, 500011, { scope: "api://nobody/x" }],
    ["itself by URI", 400, 90009, { scope: SERVICE_SCOPE }],
  ])("%s", async (what, status, code, changes) => {
    const type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    const extra = what === "malformed client assertion" ? { client_assertion_type: type } : {};
    const expected = code === 50027 ? [400, code] : [status, code];
    expect(refused(await exchange({ ...changes, ...extra }))).toEqual(expected);
  });

  test("an unknown, malformed or shared tenant", async () => {
    const form = onBehalfOfForm(tenant);
    expect(refused(await postToken(tenant, form, "77777777-0000-4000-8000-000000000000"))).toEqual([400, 90002]);
    expect(refused(await postToken(tenant, form, "nonsense"))).toEqual([400, 900023]);
    expect(refused(await postToken(tenant, form, "common"))).toEqual([400, 9001023]);
    expect((await postToken(tenant, form, "contoso.local")).status).toBe(200);
  });

  test("GET, a JSON body and a repeated parameter", async () => {
    const url = `${tenant.url}/${TENANT_ID}/oauth2/v2.0/token`;
    expect(refused(await send(url))).toEqual([400, 900561]);
    const headers = { "content-type": "application/json" };
    expect(refused(await send(url, { method: "POST", headers, body: "{}" }))).toEqual([400, 900144]);
    const body = new URLSearchParams([...Object.entries(onBehalfOfForm(tenant)), ["scope", "User.Read"]]);
    expect(refused(await send(url, { method: "POST", body }))).toEqual([400, 9000411]);
  });

  test("an expired secret, a disabled application and an application without a required role", async () => {
    tenant.state.rotateSecret({ app: "appOnly", lifetimeMs: -1, keepOld: false });
    const scope = "https://graph.microsoft.com/.default";
    expect(refused(await postToken(tenant, appForm({ ...asClient(tenant, "appOnly"), scope })))).toEqual([
      401, 7000222,
    ]);
    tenant.state.rotateSecret({ app: "appOnly", keepOld: false });
    tenant.state.changeRegistration({ app: "stranger", disabled: true });
    expect(refused(await postToken(tenant, appForm(asClient(tenant, "stranger"))))).toEqual([400, 7000112]);
    tenant.state.changeRegistration({ app: "stranger", disabled: false });
    tenant.state.changeRegistration({ app: "service", assignmentRequired: true });
    expect(refused(await postToken(tenant, appForm(asClient(tenant, "stranger"))))).toEqual([400, 501051]);
    tenant.state.changeRegistration({ app: "service", assignmentRequired: false });
  });

  test("the first uses of a new secret (E-82)", async () => {
    tenant.state.rotateSecret({ refusedUses: 2 });
    const codes = [await exchange(), await exchange(), await exchange()].map(({ status }) => status);
    expect(codes).toEqual([401, 401, 200]);
  });

  test("a public client with a credential; it needs none", async () => {
    const form = passwordForm("alice", { client_id: CLIENT_IDS.cli, client_secret: "" });
    expect((await postToken(tenant, form)).status).toBe(200);
    expect(refused(await postToken(tenant, { ...form, client_secret: "x" }))).toEqual([401, 700025]);
    expect(refused(await postToken(tenant, appForm({ client_id: CLIENT_IDS.cli, client_secret: "" })))).toEqual([
      401, 7000218,
    ]);
  });
});

test("the token endpoint accepts client_secret_basic", async () => {
  const { client_id, client_secret, ...form } = appForm();
  const credentials = Buffer.from(`${client_id}:${encodeURIComponent(client_secret ?? "")}`).toString("base64");
  const headers = { authorization: `Basic ${credentials}` };
  const url = `${tenant.url}/${TENANT_ID}/oauth2/v2.0/token`;
  const answer = await send(url, { method: "POST", headers, body: new URLSearchParams(form) });
  expect(answer.status).toBe(200);
  expect(tenant.state.requests({ client: CLIENT_IDS.daemon }).length).toBeGreaterThan(0);
});

describe("the token endpoint refuses an on-behalf-of assertion (E-65):", () => {
  type Mint = () => string;
  test.each<[string, number, Mint]>([
    ["altered", 50013, () => `${tenant.state.mintUserToken().slice(0, -8)}AAAAAAAA`],
    ["unknown key", 50013, () => tenant.state.mintUserToken({ key: "unpublished" })],
    ["consumers key", 50013, () => tenant.state.mintUserToken({ key: "consumers" })],
    ["another tenant's key", 50013, () => tenant.state.mintUserToken({ key: "other-tenant" })],
    ["another tenant", 50013, () => tenant.state.mintUserToken({ claims: { tid: "x" } })],
    ["alg none", 50013, () => tenant.state.mintUserToken({ sign: "none" })],
    ["HS256 with the public key", 50013, () => tenant.state.mintUserToken({ sign: "HS256" })],
    ["not a token", 50027, () => "nonsense"],
    ["another audience", 500131, () => tenant.state.mintUserToken({ claims: { aud: CLIENT_IDS.web } })],
    [
      "audience in another case",
      500131,
      () => tenant.state.mintUserToken({ claims: { aud: CLIENT_IDS.service.toUpperCase() } }),
    ],
    ["a Graph token", 500131, () => tenant.state.mintUserToken({ resource: "graph", client: "service" })],
    ["an ID token", 240002, () => tenant.state.mintIdToken({ client: "service" })],
    ["an application's token", 7000114, () => tenant.state.mintAppToken()],
    ["expired this second (no leeway)", 500133, () => tenant.state.mintUserToken({ lifetimeSeconds: 0 })],
    ["not yet valid", 500133, () => tenant.state.mintUserToken({ claims: { nbf: 9_999_999_999 } })],
  ])("%s", async (_, code, assertion) => {
    expect(refused(await exchange({ assertion: assertion() }))).toEqual([400, code]);
  });

  test("of carol, who has not consented: with suberror and without claims", async () => {
    const answer = await exchange({ assertion: tenant.state.mintUserToken({ user: "carol" }) });
    expect(refused(answer)).toEqual([400, 65001]);
    expect(answer.body).toMatchObject({ error: "invalid_grant", suberror: "consent_required" });
    expect(answer.body).not.toHaveProperty("claims");
    expect(refused(await exchange({ scope: "https://graph.microsoft.com/Mail.Send" }))).toEqual([400, 65001]);
  });

  test("after consent was withdrawn", async () => {
    const consent = { user: "carol", scopes: ["User.Read", "openid"] };
    const assertion = tenant.state.mintUserToken({ user: "carol" });
    tenant.state.addConsent(consent);
    const answer = await exchange({ assertion, scope: "https://graph.microsoft.com/.default offline_access" });
    expect(answer.status).toBe(200);
    expect(answer.body).not.toHaveProperty("refresh_token");
    tenant.state.withdrawConsent(consent);
    expect(refused(await exchange({ assertion }))).toEqual([400, 65001]);
  });

  test("of a user with revoked sessions or a disabled account", async () => {
    const assertion = tenant.state.mintUserToken({ user: "bob" });
    tenant.state.revokeSessions({ user: "bob" });
    expect(refused(await exchange({ assertion }))).toEqual([400, 50173]);
    expect((await exchange({ assertion: tenant.state.mintUserToken({ user: "bob" }) })).status).toBe(200);
    tenant.state.changeUser({ user: "bob", disabled: true });
    expect(refused(await exchange({ assertion: tenant.state.mintUserToken({ user: "bob" }) }))).toEqual([400, 50057]);
    tenant.state.changeUser({ user: "bob", disabled: false });
  });
});

describe("the token endpoint refuses users, codes and refresh tokens:", () => {
  test.each<[string, number, Record<string, string>]>([
    ["wrong password", 50126, { password: "wrong" }],
    ["unknown user", 50034, { username: "nobody@contoso.local" }],
    ["no password", 900144, { password: "" }],
  ])("%s", async (_, code, changes) => {
    expect(refused(await postToken(tenant, passwordForm("alice", changes)))).toEqual([400, code]);
  });

  test.each([
    [50053, { locked: true }],
    [50055, { passwordExpired: true }],
    [50057, { disabled: true }],
  ])("AADSTS%i for an account that is %o", async (code, change) => {
    tenant.state.changeUser({ user: "carol", ...change });
    expect(refused(await postToken(tenant, passwordForm("carol")))).toEqual([400, code]);
    tenant.state.changeUser({ user: "carol", locked: false, passwordExpired: false, disabled: false });
  });

  test("codes that are invalid, mismatched, used or expired (54005, 70008)", async () => {
    const redirectUri = "http://localhost:7071/oauth2/callback";
    const issue = () =>
      tenant.state.issueCode({
        user: "alice",
        client: "service",
        redirectUri,
        scope: "User.Read openid",
        codeChallenge: "v",
        codeChallengeMethod: "plain",
      });
    const redeem = (changes: Record<string, string>) =>
      postToken(tenant, {
        ...asClient(tenant, "service"),
        grant_type: "authorization_code",
        redirect_uri: redirectUri,
        code_verifier: "v",
        ...changes,
      });
    expect(refused(await redeem({ code: "garbage" }))).toEqual([400, 9002313]);
    expect(refused(await redeem({ code: issue(), code_verifier: "w" }))).toEqual([400, 501481]);
    expect(refused(await redeem({ code: issue(), redirect_uri: "http://elsewhere" }))).toEqual([401, 500112]);
    expect(refused(await redeem({ code: issue(), ...asClient(tenant, "web") }))).toEqual([400, 70000]);
    const code = issue();
    expect((await redeem({ code })).status).toBe(200);
    expect(refused(await redeem({ code }))).toEqual([400, 54005]);
    tenant.state.setClockOffset({ offsetMs: 11 * 60_000 });
    expect(refused(await redeem({ code }))).toEqual([400, 70008]);
  });

  test("refresh tokens that are invalid, of another client, inactive or revoked", async () => {
    const first = await exchange({ scope: "https://graph.microsoft.com/User.Read offline_access" });
    const refresh_token = String(first.body["refresh_token"]);
    const redeem = (changes: Record<string, string> = {}) =>
      postToken(tenant, { ...asClient(tenant, "service"), grant_type: "refresh_token", refresh_token, ...changes });
    expect(refused(await redeem({ refresh_token: "garbage" }))).toEqual([400, 9002313]);
    expect(refused(await redeem(asClient(tenant, "web")))).toEqual([400, 70000]);
    expect(refused(await redeem({ scope: "https://graph.microsoft.com/Mail.Send" }))).toEqual([400, 65001]);
    const several = await redeem({ scope: "https://api.contoso.local/orders/Orders.Read User.Read offline_access" });
    expect(claimsOf(several)["aud"]).toBe(CLIENT_IDS.orders);
    expect(several.body["refresh_token"]).not.toBe(refresh_token);
    tenant.state.setClockOffset({ offsetMs: 91 * DAY_MS });
    const late = await redeem();
    expect(refused(late)).toEqual([400, 700082]);
    expect(late.body["error_description"]).toMatch(/issued on \d{4}-\d\d-\d\dT[\d:]+\.\d{7}Z and was inactive for 90/);
    tenant.state.setClockOffset({ offsetMs: 0 });
    tenant.state.revokeSessions({ user: "alice" });
    expect(refused(await redeem())).toEqual([400, 50173]);
    tenant.state.changeUser({ user: "alice", tokensValidFromMs: 0 });
  });
});

describe("the token endpoint answers", () => {
  test("on-behalf-of with the members of E-46 and all consented scopes, valid for 60 to 90 minutes (E-39)", async () => {
    const scope = "https://graph.microsoft.com/User.Read openid profile offline_access";
    const { status, body } = await exchange({ scope, client_info: "1" });
    expect(status).toBe(200);
    const members = "access_token client_info expires_in ext_expires_in id_token refresh_token scope token_type";
    expect(Object.keys(body).sort().join(" ")).toBe(members);
    expect(String(body["scope"]).split(" ").sort()).toEqual([
      "email",
      "https://graph.microsoft.com/Mail.Read",
      "https://graph.microsoft.com/User.Read",
      "openid",
      "profile",
    ]);
    expect(body["expires_in"]).toBeGreaterThanOrEqual(3_599);
    expect(body["expires_in"]).toBeLessThanOrEqual(5_399);
    const info: unknown = JSON.parse(Buffer.from(String(body["client_info"]), "base64url").toString());
    expect(info).toEqual({ uid: USER_IDS.alice, utid: TENANT_ID });
  });

  test("short scope names with short scope names", async () => {
    const { body } = await exchange({ scope: "User.Read" });
    expect(String(body["scope"]).split(" ").sort()).toEqual(["Mail.Read", "User.Read", "email", "openid", "profile"]);
    expect(body).not.toHaveProperty("refresh_token");
    expect(body).not.toHaveProperty("id_token");
  });

  test("client credentials with exactly four members (E-45)", async () => {
    const { body } = await postToken(tenant, appForm());
    expect(Object.keys(body).sort()).toEqual(["access_token", "expires_in", "ext_expires_in", "token_type"]);
    expect(refused(await postToken(tenant, appForm({ scope: SERVICE_SCOPE })))).toEqual([400, 1002012]);
    expect(refused(await postToken(tenant, appForm({ scope: "api://nobody/.default" })))).toEqual([400, 500011]);
  });

  test("v1 requests with numbers as strings (E-49)", async () => {
    const { scope: _scope, ...form } = appForm();
    const url = `${tenant.url}/${TENANT_ID}/oauth2/token`;
    const resource = "https://graph.microsoft.com/";
    const { body } = await send(url, { method: "POST", body: new URLSearchParams({ ...form, resource }) });
    expect(body).toMatchObject({ resource, expires_in: expect.stringMatching(/^\d+$/) });
    expect(Object.keys(body)).toEqual(expect.arrayContaining(["expires_on", "not_before"]));
    const v1User = passwordForm("alice", { resource: `api://${CLIENT_IDS.service}`, scope: "openid" });
    const user = await send(url, { method: "POST", body: new URLSearchParams(v1User) });
    expect(Object.keys(user.body)).toEqual(expect.arrayContaining(["refresh_token", "id_token"]));
  });

  test("a password grant with the demanded claims with a token that satisfies them (CC-3)", async () => {
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"},"xms_cc":{"values":["cp1"]}}}';
    tenant.state.requireClaims({ user: "alice", client: "service", claims, code: 50079 });
    const without = String((await postToken(tenant, passwordForm())).body["access_token"]);
    const challenged = await exchange({ assertion: without });
    expect(refused(challenged)).toEqual([400, 50079]);
    expect(challenged.body["claims"]).toBe(claims);
    const token = await postToken(tenant, passwordForm("alice", { claims }));
    expect(claimsOf(token)).toMatchObject({ acrs: ["c1"], xms_cc: ["cp1"] });
    expect((await exchange({ assertion: String(token.body["access_token"]) })).status).toBe(200);
  });
});

describe("an access token", () => {
  test("of a user for the service has the v2 claims", async () => {
    const answer = await postToken(tenant, passwordForm("dave"));
    expect(claimsOf(answer)).toMatchObject({
      iss: `${tenant.url}/${TENANT_ID}/v2.0`,
      aud: CLIENT_IDS.service,
      azp: CLIENT_IDS.web,
      azpacr: "1",
      oid: USER_IDS.dave,
      tid: TENANT_ID,
      scp: "access_as_user",
      ver: "2.0",
      acct: 1,
      idp: expect.stringContaining("https://sts.windows.net/"),
    });
    const { iat, nbf, sub } = claimsOf(answer);
    expect(iat).toBe(nbf);
    expect(sub).not.toBe(USER_IDS.dave);
    expect(claimsOf(answer)).not.toHaveProperty("xms_cc");
  });

  test("of an application has the captured v2 claims, and roles only if assigned (E-33)", async () => {
    const withRole = claimsOf(await postToken(tenant, appForm()));
    expect(withRole).toMatchObject({
      oid: OBJECT_IDS.daemon,
      sub: OBJECT_IDS.daemon,
      roles: ["Exchange.Call"],
      idtyp: "app",
    });
    tenant.state.changeRegistration({ app: "service", optionalClaims: { idtyp: false } });
    const bare = claimsOf(await postToken(tenant, appForm(asClient(tenant, "stranger"))));
    tenant.state.changeRegistration({ app: "service", optionalClaims: { idtyp: true } });
    expect(Object.keys(bare).sort().join(" ")).toBe(
      "aio aud azp azpacr exp iat iss nbf oid rh sub tid uti ver xms_ftd",
    );
    const token = String((await postToken(tenant, appForm())).body["access_token"]);
    expect(Object.keys(decodeCompact(token)?.header ?? {}).sort()).toEqual(["alg", "kid", "typ"]);
  });

  test("contains roles while they are assigned", async () => {
    tenant.state.assignRole({ principal: "stranger", role: "Exchange.Call" });
    expect(claimsOf(await postToken(tenant, appForm(asClient(tenant, "stranger"))))["roles"]).toEqual([
      "Exchange.Call",
    ]);
    tenant.state.unassignRole({ principal: "stranger", role: "Exchange.Call" });
    expect(claimsOf(await postToken(tenant, appForm(asClient(tenant, "stranger"))))).not.toHaveProperty("roles");
  });

  test("for Graph has the v1 form and a nonce, and an ordinary library cannot verify it (E-38)", async () => {
    const { body } = await exchange();
    const jws = decodeCompact(String(body["access_token"]));
    expect(Object.keys(jws?.header ?? {}).sort()).toEqual(["alg", "kid", "nonce", "typ", "x5t"]);
    expect(jws?.payload).toMatchObject({
      iss: `${tenant.url}/${TENANT_ID}/`,
      aud: "https://graph.microsoft.com",
      ver: "1.0",
      appid: CLIENT_IDS.service,
      appidacr: "1",
      upn: "alice@contoso.local",
    });
  });

  test("for a registration with v1 tokens has the v1 form and the requested audience (E-31)", async () => {
    tenant.state.changeRegistration({ app: "service", tokenVersion: 1 });
    const claims = claimsOf(await postToken(tenant, passwordForm()));
    tenant.state.changeRegistration({ app: "service", tokenVersion: 2 });
    expect(claims).toMatchObject({ aud: `api://${CLIENT_IDS.service}`, ver: "1.0", appid: CLIENT_IDS.web });
  });
});
