/** Discovery documents and the key set. */
import { createHash, X509Certificate } from "node:crypto";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CLIENT_IDS, TENANT_ID } from "../../../local/tenant/directory/seed-ids.ts";
import type { PublishedJwk } from "../../../local/tenant/keys/signing-key.ts";
import type { LocalTenant } from "../../../local/tenant/local-tenant.ts";
import { send, startTrustedTenant } from "./trusted-tenant.ts";

let tenant: LocalTenant;
beforeAll(async () => {
  tenant = await startTrustedTenant();
});
afterAll(() => tenant.close());

const document = (path: string) => send(`${tenant.url}/${path}/.well-known/openid-configuration`);

async function publishedKeys(path = `${TENANT_ID}/discovery/v2.0/keys`): Promise<PublishedJwk[]> {
  const { body } = await send(`${tenant.url}/${path}`);
  return body["keys"] as PublishedJwk[];
}

describe("discovery", () => {
  test("v2: issuer and key set are the tenant's own (E-2, E-5)", async () => {
    const { status, body, headers } = await document(`${TENANT_ID}/v2.0`);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(body).toMatchObject({
      issuer: `${tenant.url}/${TENANT_ID}/v2.0`,
      jwks_uri: `${tenant.url}/${TENANT_ID}/discovery/v2.0/keys`,
      token_endpoint: `${tenant.url}/${TENANT_ID}/oauth2/v2.0/token`,
    });
  });

  test("v1: the issuer ends in a slash (E-6)", async () => {
    const { body } = await document(TENANT_ID);
    expect(body["issuer"]).toBe(`${tenant.url}/${TENANT_ID}/`);
    expect(body["jwks_uri"]).toBe(`${tenant.url}/common/discovery/keys`);
  });

  test("what Entra leaves out is left out (E-4)", async () => {
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
  ])("asked for %s, the issuer names %s (E-5)", async (asked, named) => {
    expect((await document(`${asked}/v2.0`)).body["issuer"]).toBe(`${tenant.url}/${named}/v2.0`);
  });

  test("unknown and malformed tenants (E-8, E-9)", async () => {
    const unknown = await document("fabrikam.example/v2.0");
    expect(unknown.status).toBe(400);
    expect(unknown.body).toMatchObject({ error: "invalid_tenant", error_codes: [90002] });
    const malformed = await document("nonsense/v2.0");
    expect(malformed.body).toMatchObject({ error: "invalid_request", error_codes: [900023] });
  });

  test("instance discovery knows this host only (E-10, E-11)", async () => {
    const ask = (endpoint: string) =>
      send(`${tenant.url}/common/discovery/instance?api-version=1.1&authorization_endpoint=${endpoint}`);
    const known = await ask(`${tenant.url}/${TENANT_ID}/oauth2/v2.0/authorize`);
    expect(known.body["metadata"]).toEqual([expect.objectContaining({ aliases: [new URL(tenant.url).host] })]);
    const unknown = await ask("https://elsewhere.example/x/oauth2/v2.0/authorize");
    expect(unknown.body).toMatchObject({ error: "invalid_instance", error_codes: [50049] });
  });
});

describe("key set", () => {
  test("several keys, no alg, x5t = kid, and a certificate that holds the key (E-20, E-24)", async () => {
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

  test("one key is for personal accounts (E-21), the others carry the template (E-23)", async () => {
    const issuers = (await publishedKeys("common/discovery/keys")).map((key) => key.issuer);
    expect(issuers.filter((one) => one.includes("9188040d-6c67-4c5b-b112-36a304b66dad"))).toHaveLength(1);
    expect(issuers.filter((one) => one === `${tenant.url}/{tenantid}/v2.0`)).toHaveLength(issuers.length - 1);
  });

  test("jose verifies a token by the set; rotation and removal show", async () => {
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
