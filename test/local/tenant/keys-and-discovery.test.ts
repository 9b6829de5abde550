/**
 * The discovery documents and the key set.
 */
import { createHash, X509Certificate } from "node:crypto";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { CLIENT_IDS, TENANT_ID } from "../../../local/tenant/directory/seed-ids.ts";
import type { PublishedJwk } from "../../../local/tenant/keys/signing-key.ts";
import { useTenant } from "../../support/use-tenant.ts";
import { send } from "./tenant-client.ts";

const tenant = useTenant();

const document = (path: string) => send(`${tenant.url}/${path}/.well-known/openid-configuration`);

async function publishedKeys(path = `${TENANT_ID}/discovery/v2.0/keys`): Promise<PublishedJwk[]> {
  const { body } = await send(`${tenant.url}/${path}`);
  return body["keys"] as PublishedJwk[];
}

describe("discovery", () => {
  test("the v2.0 document names the tenant's issuer and key set (E-2, E-5)", async () => {
    const { status, body, headers } = await document(`${TENANT_ID}/v2.0`);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(body).toMatchObject({
      issuer: `${tenant.url}/${TENANT_ID}/v2.0`,
      jwks_uri: `${tenant.url}/${TENANT_ID}/discovery/v2.0/keys`,
      token_endpoint: `${tenant.url}/${TENANT_ID}/oauth2/v2.0/token`,
    });
  });

  test("the issuer of the v1.0 document ends with a slash (E-6)", async () => {
    const { body } = await document(TENANT_ID);
    expect(body["issuer"]).toBe(`${tenant.url}/${TENANT_ID}/`);
    expect(body["jwks_uri"]).toBe(`${tenant.url}/common/discovery/keys`);
  });

  test("the documents contain no members that Entra omits (E-4)", async () => {
    const { body } = await document(`${TENANT_ID}/v2.0`);
    for (const name of ["code_challenge_methods_supported", "grant_types_supported", "revocation_endpoint"]) {
      expect(body).not.toHaveProperty(name);
    }
  });

  test.each([
    ["contoso.local", TENANT_ID],
    ["common", "{tenantid}"],
    ["organizations", "{tenantid}"],
    ["consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"],
  ])("the document for %s has the issuer of %s (E-5)", async (asked, named) => {
    expect((await document(`${asked}/v2.0`)).body["issuer"]).toBe(`${tenant.url}/${named}/v2.0`);
  });

  test("unknown and malformed tenants are refused (E-8, E-9)", async () => {
    const unknown = await document("fabrikam.example/v2.0");
    expect(unknown.status).toBe(400);
    expect(unknown.body).toMatchObject({ error: "invalid_tenant", error_codes: [90002] });
    const malformed = await document("nonsense/v2.0");
    expect(malformed.body).toMatchObject({ error: "invalid_request", error_codes: [900023] });
  });

  test("instance discovery accepts this host only (E-10, E-11)", async () => {
    const ask = (endpoint: string) =>
      send(`${tenant.url}/common/discovery/instance?api-version=1.1&authorization_endpoint=${endpoint}`);
    const known = await ask(`${tenant.url}/${TENANT_ID}/oauth2/v2.0/authorize`);
    expect(known.body["metadata"]).toEqual([expect.objectContaining({ aliases: [new URL(tenant.url).host] })]);
    const unknown = await ask("https://elsewhere.example/x/oauth2/v2.0/authorize");
    expect(unknown.body).toMatchObject({ error: "invalid_instance", error_codes: [50049] });
  });
});

describe("key set", () => {
  test("contains several keys without alg, with x5t = kid and a certificate of the key (E-20, E-24)", async () => {
    const keys = await publishedKeys();
    expect(keys.length).toBeGreaterThan(2);
    for (const key of keys) {
      expect(Object.keys(key).sort()).toEqual(["e", "issuer", "kid", "kty", "n", "use", "x5c", "x5t"]);
      const certificate = Buffer.from(key.x5c[0], "base64");
      expect(key.x5t).toBe(key.kid);
      expect(createHash("sha1").update(certificate).digest("base64url")).toBe(key.x5t);
      expect(new X509Certificate(certificate).publicKey.export({ format: "jwk" })).toMatchObject({
        n: key.n,
        e: key.e,
      });
    }
  });

  test("has one key for personal accounts (E-21), and the issuer template on the others (E-23)", async () => {
    const issuers = (await publishedKeys("common/discovery/keys")).map((key) => key.issuer);
    expect(issuers.filter((one) => one.includes("9188040d-6c67-4c5b-b112-36a304b66dad"))).toHaveLength(1);
    expect(issuers.filter((one) => one === `${tenant.url}/{tenantid}/v2.0`)).toHaveLength(issuers.length - 1);
  });

  test("lets jose verify a token, and changes with rotation and removal", async () => {
    const verify = (token: string) =>
      jwtVerify(token, createRemoteJWKSet(new URL(`${tenant.url}/${TENANT_ID}/discovery/v2.0/keys`)), {
        issuer: `${tenant.url}/${TENANT_ID}/v2.0`,
        audience: CLIENT_IDS.service,
        algorithms: ["RS256"],
      });
    const old = tenant.state.mintUserToken();
    expect((await verify(old)).payload["scp"]).toBe("access_as_user");
    const { removed } = await tenant.state.rotateKey();
    expect((await verify(tenant.state.mintUserToken())).protectedHeader.kid).not.toBe(removed);
    await expect(verify(old)).rejects.toMatchObject({ code: "ERR_JWKS_NO_MATCHING_KEY" });
    await expect(verify(tenant.state.mintUserToken({ key: "unpublished" }))).rejects.toThrow();
  });
});

test("the key of an application with a claims mapping is published with its appid only, and signs its tokens (E-7)", async () => {
  tenant.state.setOwnKey({ clientId: CLIENT_IDS.service, own: true });
  const kidOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
  const kids = async (query: string) =>
    (await publishedKeys(`${TENANT_ID}/discovery/v2.0/keys${query}`)).map(({ kid }) => kid);
  const own = kidOf(tenant.state.mintUserToken());
  expect(kidOf(tenant.state.mintAppToken())).toBe(own);
  expect(kidOf(tenant.state.mintUserToken({ resource: "orders" }))).not.toBe(own);
  expect(await kids(`?appid=${CLIENT_IDS.service}`)).toEqual([own]);
  expect(await kids("")).not.toContain(own);
  expect(await kids(`?appid=${CLIENT_IDS.orders}`)).toEqual(await kids(""));
  const { body } = await send(
    `${tenant.url}/${TENANT_ID}/v2.0/.well-known/openid-configuration?appid=${CLIENT_IDS.service}`,
  );
  expect(body["jwks_uri"]).toBe(`${tenant.url}/${TENANT_ID}/discovery/v2.0/keys?appid=${CLIENT_IDS.service}`);
  tenant.state.setOwnKey({ clientId: CLIENT_IDS.service, own: false });
  expect(kidOf(tenant.state.mintUserToken())).not.toBe(own);
});
