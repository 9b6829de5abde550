/**
 * Scripted responses, the request log, minted tokens and the control API.
 */
import { afterEach, describe, expect, test } from "vitest";
import { CLIENT_IDS, USER_IDS } from "../../../local/tenant/directory/seed-ids.ts";
import { decodeCompact } from "../../../local/tenant/keys/compact-jws.ts";
import { useTenant } from "../../support/use-tenant.ts";
import { asClient, onBehalfOfForm, postToken, send } from "./tenant-client.ts";

const tenant = useTenant({ serviceUrl: "http://localhost:9999" });
afterEach(() => {
  tenant.state.clearOrders();
  tenant.state.clearLog();
});

const exchange = (user = "alice") =>
  postToken(tenant, onBehalfOfForm(tenant, { assertion: tenant.state.mintUserToken({ user }) }));

describe("a scripted response", () => {
  test("matches by grant, user, client and resource, by default once", async () => {
    const narrow = { endpoint: "token", grantType: "on-behalf-of", user: "bob", client: "service" } as const;
    tenant.state.order({ ...narrow, resource: "graph.microsoft.com", aadsts: 50105 });
    tenant.state.order({ ...narrow, resource: "api.contoso.local", aadsts: 50105 });
    expect((await exchange("alice")).status).toBe(200);
    expect((await exchange("bob")).body["error_codes"]).toEqual([50105]);
    expect((await exchange("bob")).status).toBe(200);
    expect(tenant.state.listOrders().map((order) => order.remaining)).toEqual([0, 1]);
  });

  test("with times 0 applies until it is cleared", async () => {
    const id = tenant.state.order({ endpoint: "token", aadsts: 90033, times: 0 });
    for (const _ of [1, 2, 3]) expect((await exchange()).status).toBe(503);
    tenant.state.clearOrders({ id });
    expect((await exchange()).status).toBe(200);
  });

  test("can be text, JSON or a 200 without a token (TC-22, TC-24)", async () => {
    const html = "<html>502 Bad Gateway</html>";
    tenant.state.order({ endpoint: "token", status: 502, headers: { "Content-Type": "text/html" }, body: html });
    const page = await exchange();
    expect([page.status, page.text, page.headers.get("content-type")]).toEqual([502, html, "text/html"]);
    tenant.state.order({ endpoint: "token", body: {} });
    const empty = await exchange();
    expect([empty.status, empty.text]).toEqual([200, "{}"]);
    tenant.state.order({ endpoint: "jwks", status: 302, headers: { Location: "https://elsewhere.example/" } });
    const redirect = await fetch(`${tenant.url}/common/discovery/keys`, { redirect: "manual" });
    expect(redirect.status).toBe(302);
  });

  test("can hold requests, which continue in the order of release", async () => {
    const finished: string[] = [];
    const hold = (user: string) => tenant.state.order({ endpoint: "token", user, hold: true });
    const [first, second] = [hold("alice"), hold("bob")];
    const requests = [
      exchange("alice").then(() => finished.push("alice")),
      exchange("bob").then(() => finished.push("bob")),
    ];
    await Promise.all([tenant.state.orders.hit(first), tenant.state.orders.hit(second)]);
    expect(finished).toEqual([]);
    tenant.state.releaseOrder({ id: second });
    await requests[1];
    expect(finished).toEqual(["bob"]);
    tenant.state.releaseOrder({ id: first });
    await Promise.all(requests);
    expect(finished).toEqual(["bob", "alice"]);
    await expect(tenant.state.orders.hit("none")).rejects.toThrow("no scripted response");
  });

  test("can drop the connection", async () => {
    tenant.state.order({ endpoint: "token", drop: true });
    await expect(exchange()).rejects.toThrow("fetch failed");
    expect(tenant.state.requests({ endpoint: "token" }).at(-1)?.status).toBe(0);
    expect((await exchange()).status).toBe(200);
  });

  test("can hang until the client gives up", async () => {
    const id = tenant.state.order({ endpoint: "discovery", hang: true });
    const url = `${tenant.url}/common/v2.0/.well-known/openid-configuration`;
    const abort = new AbortController();
    const request = fetch(url, { signal: abort.signal });
    await tenant.state.orders.hit(id);
    abort.abort();
    await expect(request).rejects.toThrow("abort");
  });

  test("can delay the ordinary answer", async () => {
    tenant.state.order({ endpoint: "token", delayMs: 1 });
    expect((await exchange()).status).toBe(200);
  });
});

describe("the request log", () => {
  test("contains each request with its form, user and status", async () => {
    await exchange("bob");
    const [entry] = tenant.state.requests({ endpoint: "token", user: USER_IDS.bob });
    expect(entry).toMatchObject({
      method: "POST",
      grantType: "on-behalf-of",
      client: CLIENT_IDS.service,
      status: 200,
      form: { requested_token_use: "on_behalf_of" },
    });
  });

  test("contains the user of passwords, refresh tokens and codes", async () => {
    const scope = "https://graph.microsoft.com/User.Read offline_access";
    const first = await postToken(tenant, onBehalfOfForm(tenant, { scope }));
    const refresh_token = String(first.body["refresh_token"]);
    await postToken(tenant, { ...asClient(tenant, "service"), grant_type: "refresh_token", refresh_token });
    await postToken(tenant, { grant_type: "password", username: "alice@contoso.local" });
    const code = tenant.state.issueCode({ user: "alice", client: "web", redirectUri: "x", scope: "openid" });
    await postToken(tenant, { grant_type: "authorization_code", code });
    expect(tenant.state.requests({ user: USER_IDS.alice }).map((entry) => entry.grantType)).toEqual([
      "on-behalf-of",
      "refresh_token",
      "password",
      "authorization_code",
    ]);
    expect(tenant.state.log.count({ grantType: "refresh_token" })).toBe(1);
    expect(tenant.state.log.count({ endpoint: "token" })).toBe(4);
  });
});

describe("a minted token", () => {
  test("can have members set and deleted", () => {
    const token = tenant.state.mintUserToken({
      header: { kid: undefined, jku: "https://elsewhere.example" },
      claims: { exp: undefined, scp: ["access_as_user"] },
      without: ["tid"],
    });
    const { header, payload } = decodeCompact(token) ?? {};
    expect(header).toEqual({ typ: "JWT", alg: "RS256", jku: "https://elsewhere.example" });
    expect(payload).not.toHaveProperty("exp");
    expect(payload).not.toHaveProperty("tid");
    expect(payload?.["scp"]).toEqual(["access_as_user"]);
  });

  test("can have any header, payload, key and signature", () => {
    const raw = tenant.state.mint({ header: '{"alg":"none","alg":"RS256"}', payload: "not json", signature: "" });
    expect(raw.split(".").map((part) => Buffer.from(part, "base64url").toString())).toEqual([
      '{"alg":"none","alg":"RS256"}',
      "not json",
      "",
    ]);
    for (const sign of ["RS384", "RS512", "PS256"] as const) {
      expect(tenant.state.mintAppToken({ sign }).split(".")).toHaveLength(3);
    }
    for (const hmacSecret of ["jwk", "modulus", { text: "x" }] as const) {
      expect(tenant.state.mintAppToken({ sign: "HS256", hmacSecret }).split(".")).toHaveLength(3);
    }
    expect(tenant.state.mintUserToken({ key: "weak" })).toMatch(/^[\w-]+\.[\w-]+\.[\w-]{171}$/);
    expect(() => tenant.state.mintUserToken({ user: "nobody" })).toThrow("no user nobody");
    expect(() => tenant.state.mintUserToken({ key: "nothing" })).toThrow("no key nothing");
  });

  test("can use the weak key, which can be published and removed (JW-19)", () => {
    const kid = String(decodeCompact(tenant.state.mintUserToken({ key: "weak" }))?.header["kid"]);
    tenant.state.publishKey({ kid });
    expect(tenant.state.listKeys().published.map((key) => key.kid)).toContain(kid);
    tenant.state.removeKey({ kid });
    expect(tenant.state.listKeys().published.map((key) => key.kid)).not.toContain(kid);
  });
});

describe("the control API", () => {
  const control = (operation: string, input: unknown = {}, key = tenant.state.controlKey) => {
    const headers = { authorization: `Bearer ${key}` };
    return send(`${tenant.url}/_control/${operation}`, { method: "POST", headers, body: JSON.stringify(input) });
  };

  test("requires its key", async () => {
    expect((await control("seed", {}, "guess")).status).toBe(401);
    expect((await send(`${tenant.url}/_control/seed`)).status).toBe(404);
  });

  test("runs the same operations as the tenant's state", async () => {
    const id = (await control("order", { endpoint: "token", aadsts: 50076 })).text;
    expect((await exchange()).body["error_codes"]).toEqual([50076]);
    expect(JSON.parse((await control("listOrders")).text)).toMatchObject([{ id: JSON.parse(id), hits: 1 }]);
    const token = String(JSON.parse((await control("mintUserToken", { user: "bob", without: ["tid"] })).text));
    expect(decodeCompact(token)?.payload).toMatchObject({ oid: USER_IDS.bob });
    const seed = await control("seed");
    expect(seed.body).toMatchObject({ url: tenant.url, users: [{ name: "alice" }, {}, {}, { guest: true }, {}] });
    expect((await control("rotateKey")).body).toHaveProperty("kid");
  });

  test("names unknown operations and invalid input", async () => {
    const unknown = await control("nonsense");
    expect(unknown.status).toBe(404);
    expect(unknown.body["operations"]).toContain("revokeSessions");
    expect((await control("controlKey")).status).toBe(404);
    expect((await control("order", { endpoint: "tokens" })).body["error"]).toBe("no endpoint tokens");
    expect((await control("revokeSessions", { user: "nobody" })).body["error"]).toContain("nobody");
  });

  test("restores the initial state by reset, and the vault's secret still works", async () => {
    tenant.state.rotateSecret({ keepOld: false });
    tenant.state.withdrawConsent({ scopes: ["User.Read", "Mail.Read"] });
    tenant.state.requireClaims({ claims: '{"access_token":{"acrs":{"value":"c1"}}}' });
    tenant.state.order({ endpoint: "token", aadsts: 90033, times: 0 });
    tenant.state.setClockOffset({ offsetMs: 1e12 });
    tenant.state.deleteSecret({ name: "sealing-key" });
    await control("reset");
    expect((await exchange()).status).toBe(200);
    expect(tenant.state.vault.latest("client-secret")?.value).toBe(asClient(tenant, "service").client_secret);
    expect(tenant.state.vault.latest("sealing-key")).toBeDefined();
  });

  test("registers the callback at the given address of the service", () => {
    expect(tenant.state.directory.registration("service")?.redirectUris).toEqual([
      "http://localhost:9999/oauth2/callback",
    ]);
  });
});
