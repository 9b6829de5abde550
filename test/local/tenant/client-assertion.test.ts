/**
 * Clients without a secret: a registered certificate, and a managed identity as federated credential.
 */
import { createHash, generateKeyPairSync, X509Certificate } from "node:crypto";
import { ManagedIdentityCredential } from "@azure/identity";
import { ConfidentialClientApplication } from "@azure/msal-node";
import { SignJWT } from "jose";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { CLIENT_IDS, OBJECT_IDS, TENANT_ID } from "../../../local/tenant/directory/seed-ids.ts";
import { selfSignedCertificate } from "../../../local/tenant/keys/certificate.ts";
import { useTenant } from "../../support/use-tenant.ts";
import { postToken } from "./tenant-client.ts";

const TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const certificate = new X509Certificate(selfSignedCertificate(privateKey, Date.now() - 60_000, "service"));
const thumbprint = createHash("sha256").update(certificate.raw).digest("base64url");

const tenant = useTenant();
beforeAll(() => {
  tenant.state.addCertificate({ app: "service", certificate: certificate.toString() });
});
afterEach(() => tenant.state.setClockOffset({ offsetMs: 0 }));

function application(auth: object) {
  const authority = `${tenant.url}/${TENANT_ID}`;
  const knownAuthorities = [new URL(tenant.url).host];
  return new ConfidentialClientApplication({
    auth: { clientId: CLIENT_IDS.service, authority, knownAuthorities, ...auth },
  });
}

const scopes = ["https://graph.microsoft.com/User.Read"];

function clientCredentials(client_assertion: string, client_id: string = CLIENT_IDS.service) {
  const scope = "https://graph.microsoft.com/.default";
  const form = { client_id, client_assertion, client_assertion_type: TYPE, scope };
  return postToken(tenant, { ...form, grant_type: "client_credentials" });
}

async function code(assertion: Promise<string> | string, clientId?: string): Promise<unknown> {
  const { body, status } = await clientCredentials(await assertion, clientId);
  return status === 200 ? 200 : body["error_codes"];
}

describe("a client certificate", () => {
  const assertion = (changes: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
    new SignJWT({
      iss: CLIENT_IDS.service,
      sub: CLIENT_IDS.service,
      aud: `${tenant.url}/${TENANT_ID}/oauth2/v2.0/token`,
      exp: Math.floor(Date.now() / 1000) + 300,
      ...changes,
    })
      .setProtectedHeader({ alg: "PS256", "x5t#S256": thumbprint, ...header })
      .sign(privateKey);

  test("authenticates through MSAL", async () => {
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const clientCertificate = { thumbprintSha256: certificate.fingerprint256.replaceAll(":", ""), privateKey: pem };
    const oboAssertion = tenant.state.mintUserToken();
    const result = await application({ clientCertificate }).acquireTokenOnBehalfOf({ oboAssertion, scopes });
    expect(result?.accessToken).toBeTypeOf("string");
  });

  test("may sign with PS256 and RS256 only", async () => {
    expect(await code(assertion())).toBe(200);
    expect(await code(assertion({}, { alg: "RS256" }))).toBe(200);
    expect(await code(assertion({}, { alg: "PS512" }))).toEqual([700027]);
  });

  test("is refused if it is unregistered, for another client or audience, or out of time", async () => {
    expect(await code(assertion({}, { "x5t#S256": "AAAA" }))).toEqual([700027]);
    expect(await code(assertion({ sub: CLIENT_IDS.web }))).toEqual([700021]);
    expect(await code(assertion({ aud: "https://elsewhere.example" }))).toEqual([700023]);
    expect(await code(assertion({ exp: 1 }))).toEqual([700024]);
    expect(await code(`${(await assertion()).slice(0, -8)}AAAAAAAA`)).toEqual([700027]);
  });
});

describe("a managed identity as federated credential", () => {
  const identityToken = async (options = {}) =>
    (await new ManagedIdentityCredential(options).getToken("api://AzureADTokenExchange")).token;

  test("authenticates through MSAL and the identity SDK without a secret", async () => {
    const oboAssertion = tenant.state.mintUserToken();
    const result = await application({ clientAssertion: () => identityToken() }).acquireTokenOnBehalfOf({
      oboAssertion,
      scopes,
    });
    expect(result?.account?.username).toBe("alice@contoso.local");
  });

  test("gives a token that names the principal of the identity", async () => {
    const token = await identityToken({ clientId: CLIENT_IDS.userIdentity });
    const payload: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    expect(payload).toMatchObject({ sub: OBJECT_IDS.userIdentity, iss: `${tenant.url}/${TENANT_ID}/v2.0` });
    expect(await code(token)).toBe(200);
  });

  const forged = (changes: Parameters<typeof tenant.state.mintAppToken>[0]) =>
    tenant.state.mintAppToken({ client: "systemIdentity", resource: "tokenExchange", ...changes });

  test("is refused for a wrong issuer, audience, subject, signature or time, and for a client without the credential", async () => {
    expect(await code(forged({ claims: { iss: "https://elsewhere.example" } }))).toEqual([700211]);
    expect(await code(forged({ resource: "vault" }))).toEqual([700211]);
    expect(await code(forged({ resource: "orders" }))).toEqual([700212]);
    expect(await code(forged({ client: "daemon" }))).toEqual([700213]);
    expect(await code(forged({ claims: { sub: OBJECT_IDS.systemIdentity, oid: "x" } }))).toBe(200);
    expect(await code(forged({ signature: "AAAA" }))).toEqual([700027]);
    expect(await code(forged({ lifetimeSeconds: -1 }))).toEqual([700024]);
    expect(await code(forged({}), CLIENT_IDS.daemon)).toEqual([700211]);
  });
});
