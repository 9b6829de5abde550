/**
 * The real Key Vault and identity SDKs against the tenant's vault and managed identity endpoint (facts KV-…).
 */
import { ClientSecretCredential, ManagedIdentityCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import { afterEach, describe, expect, test } from "vitest";
import { CLIENT_IDS, TENANT_ID } from "../../../local/tenant/directory/seed-ids.ts";
import { useTenant } from "../../support/use-tenant.ts";
import { secretOf, send } from "./tenant-client.ts";

const tenant = useTenant();

afterEach(() => {
  tenant.state.clearOrders();
  tenant.state.setVaultRole({ role: "officer" });
});

function client(credential = new ManagedIdentityCredential()): SecretClient {
  return new SecretClient(tenant.url, credential, {
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries: 0 },
  });
}

/** A vault token for raw requests. */
function vaultToken(overrides: Parameters<typeof tenant.state.mintAppToken>[0] = {}): Record<string, string> {
  const token = tenant.state.mintAppToken({ client: "systemIdentity", resource: "vault", ...overrides });
  return { authorization: `Bearer ${token}` };
}

function get(path: string, headers: Record<string, string> = {}) {
  return send(`${tenant.url}${path}${path.includes("?") ? "&" : "?"}api%2Dversion=2025-07-01`, { headers });
}

describe("the vault through the SDK", () => {
  test("the client secret in the vault is the one that Entra accepts", async () => {
    const secret = await client().getSecret("client-secret");
    expect(secret.value).toBe(secretOf(tenant, "service"));
    expect(secret.properties.version).toMatch(/^[0-9a-f]{32}$/);
  });

  test("the sealing key is 32 bytes", async () => {
    const secret = await client().getSecret("sealing-key");
    expect(Buffer.from(secret.value ?? "", "base64")).toHaveLength(32);
  });

  test("setting a secret requires the officer role and creates a version", async () => {
    tenant.state.setVaultRole({ role: "user" });
    await expect(client().setSecret("note", "one")).rejects.toMatchObject({ statusCode: 403 });
    tenant.state.setVaultRole({ role: "officer" });
    const first = await client().setSecret("note", "one", { tags: { a: "b" } });
    await client().setSecret("note", "two");
    expect((await client().getSecret("note")).value).toBe("two");
    const old = await client().getSecret("note", { version: first.properties.version ?? "" });
    expect(old).toMatchObject({ value: "one", properties: { tags: { a: "b" } } });
    const listed: (string | undefined)[] = [];
    for await (const one of client().listPropertiesOfSecretVersions("note")) listed.push(one.version);
    expect(listed).toHaveLength(2);
  });

  test("a disabled secret is refused, an expired one is not (KV-20, KV-21)", async () => {
    await client().setSecret("dated", "value", { expiresOn: new Date("2020-01-01") });
    expect((await client().getSecret("dated")).properties.expiresOn).toEqual(new Date("2020-01-01"));
    tenant.state.changeSecret({ name: "dated", enabled: false });
    await expect(client().getSecret("dated")).rejects.toMatchObject({ statusCode: 403, code: "Forbidden" });
  });

  test("a deleted secret is not found, and its name cannot be reused (KV-22, KV-24)", async () => {
    await client().setSecret("gone", "value");
    tenant.state.deleteSecret({ name: "gone" });
    await expect(client().getSecret("gone")).rejects.toMatchObject({ statusCode: 404, code: "SecretNotFound" });
    await expect(client().setSecret("gone", "again")).rejects.toMatchObject({ statusCode: 409 });
  });

  test("attributes can change, secrets are listed, and a deleted secret can be recovered", async () => {
    const { properties } = await client().setSecret("kept", "value");
    const notBefore = new Date("2030-01-01");
    await client().updateSecretProperties("kept", properties.version ?? "", { notBefore, contentType: "text/plain" });
    const kept = await client().getSecret("kept");
    expect(kept.properties).toMatchObject({ notBefore, contentType: "text/plain", enabled: true });
    tenant.state.changeSecret({ name: "kept", notBefore: null, expires: 1 });
    expect((await client().getSecret("kept")).properties.notBefore).toBeUndefined();
    const names: string[] = [];
    for await (const one of client().listPropertiesOfSecrets()) names.push(one.name);
    expect(names).toContain("kept");
    const token = vaultToken();
    const url = `${tenant.url}/secrets/kept?api-version=2025-07-01`;
    expect((await send(url, { method: "DELETE", headers: token })).status).toBe(200);
    expect((await send(url, { headers: token })).status).toBe(404);
    tenant.state.recoverSecret({ name: "kept" });
    expect((await send(url, { headers: token })).status).toBe(200);
  });

  test("a scripted outage reaches the SDK", async () => {
    const body = { error: { code: "ServiceUnavailable", message: "The service is unavailable." } };
    tenant.state.order({ endpoint: "vault", status: 503, body, times: 0 });
    await expect(client().getSecret("client-secret")).rejects.toMatchObject({ statusCode: 503 });
  });

  test("the user-assigned identity is chosen by client id", async () => {
    const credential = new ManagedIdentityCredential({ clientId: CLIENT_IDS.userIdentity });
    expect((await client(credential).getSecret("client-secret")).value).toBe(secretOf(tenant, "service"));
  });

  test("a client secret credential works after it gets the role", async () => {
    const credential = new ClientSecretCredential(TENANT_ID, CLIENT_IDS.daemon, secretOf(tenant, "daemon"), {
      authorityHost: tenant.url,
      disableInstanceDiscovery: true,
    });
    const vault = new SecretClient(tenant.url, credential, { disableChallengeResourceVerification: true });
    await expect(vault.getSecret("client-secret")).rejects.toMatchObject({ statusCode: 403 });
    tenant.state.setVaultRole({ role: "user", principal: "daemon" });
    expect((await vault.getSecret("client-secret")).value).toBe(secretOf(tenant, "service"));
  });
});

describe("the vault's HTTP answers", () => {
  test("the challenge to a request without a token names tenant and resource (KV-2)", async () => {
    const answer = await get("/secrets/client-secret/");
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe(
      `Bearer authorization="${tenant.url}/${TENANT_ID}", resource="https://vault.azure.net"`,
    );
    expect(answer.body).toEqual({
      error: { code: "Unauthorized", message: "AKV10000: Request is missing a Bearer or PoP token." },
    });
  });

  test.each([
    ["AKV10022", { claims: { aud: "https://vault.azure.net/" } }],
    ["AKV10032", { claims: { iss: "https://sts.windows.net/other/" } }],
    ["AKV10046", { key: "unpublished" }],
    ["AKV10012", { lifetimeSeconds: -1 }],
  ] as const)("%s", async (code, overrides) => {
    const answer = await get("/secrets/client-secret/", vaultToken(overrides));
    expect(answer.status).toBe(401);
    expect(answer.text).toContain(code);
  });

  test("the vault accepts the application id as audience (KV-3)", async () => {
    const answer = await get("/secrets/client-secret", vaultToken({ claims: { aud: CLIENT_IDS.vault } }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-ms-keyvault-region")).toBe("local");
    expect(answer.headers.get("x-ms-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("a refused role is answered with its inner error (KV-23)", async () => {
    tenant.state.setVaultRole({ role: "ForbiddenByFirewall" });
    const answer = await get("/secrets/client-secret", vaultToken());
    expect(answer.status).toBe(403);
    expect(answer.body["error"]).toMatchObject({ code: "Forbidden", innererror: { code: "ForbiddenByFirewall" } });
  });

  test("api-version is mandatory (KV-1)", async () => {
    const answer = await send(`${tenant.url}/secrets/client-secret`, { headers: vaultToken() });
    expect(answer.status).toBe(400);
    expect(answer.body["error"]).toMatchObject({ code: "BadParameter" });
  });

  test("an invalid secret name and an unknown path are refused", async () => {
    expect((await get("/secrets/a_b", vaultToken())).status).toBe(400);
    expect((await get("/secrets/none", vaultToken())).status).toBe(404);
  });

  test("the list of versions has pages and no values (KV-12)", async () => {
    for (const value of ["1", "2", "3"]) tenant.state.setSecret({ name: "paged", value });
    const first = await get("/secrets/paged/versions?maxresults=2", vaultToken());
    expect(first.text).not.toContain('"value":"1"');
    const next = String(first.body["nextLink"]);
    expect(next).toContain("skiptoken");
    const second = await send(next, { headers: vaultToken() });
    expect(second.body).toMatchObject({ value: [{}], nextLink: null });
  });

  test("throttling has Key Vault's form (KV-30)", async () => {
    tenant.state.order({ endpoint: "vault", throttleSeconds: 7 });
    const answer = await get("/secrets/client-secret", vaultToken());
    expect(answer.status).toBe(429);
    expect(answer.headers.get("retry-after")).toBe("7");
    expect(answer.body["error"]).toMatchObject({ code: "Throttled" });
  });
});

describe("managed identity endpoint (KV-40)", () => {
  const ask = (query: string, header = tenant.state.identity.header) =>
    send(`${tenant.state.identity.endpoint}?${query}`, { headers: { "x-identity-header": header } });

  test("answers expires_on as a string of Unix seconds", async () => {
    const answer = await ask("api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net");
    expect(answer.body).toMatchObject({ resource: "https://vault.azure.net", token_type: "Bearer" });
    expect(answer.body["expires_on"]).toMatch(/^\d{10}$/);
  });

  test.each([
    ["wrong header", 401, "api-version=2019-08-01&resource=https://vault.azure.net", "wrong"],
    ["no resource", 400, "api-version=2019-08-01", undefined],
    ["no api-version", 400, "resource=https://vault.azure.net", undefined],
    ["unknown identity", 400, "api-version=2019-08-01&resource=https://vault.azure.net&client_id=x", undefined],
    ["unknown resource", 400, "api-version=2019-08-01&resource=https://nowhere.example", undefined],
  ])("%s", async (_, status, query, header) => {
    expect((await ask(query, header)).status).toBe(status);
  });

  test("refuses a user's token for the service at the vault", async () => {
    const token = tenant.state.mintUserToken();
    expect((await get("/secrets/client-secret", { authorization: `Bearer ${token}` })).text).toContain("AKV10022");
  });
});
