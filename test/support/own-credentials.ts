/** The callers' own credentials at the local tenant: their secrets, and assertions that their certificates sign. */
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { selfSignedCertificate } from "../../local/tenant/keys/certificate.ts";
import { CLIENT_ASSERTION, CLIENT_IDS } from "./callers.ts";
import { policyWithEntries } from "./policies.ts";
import type { LocalWorld } from "./service-under-test.ts";

type Tenant = LocalWorld["tenant"];
type ClientName = keyof typeof CLIENT_IDS;

/** A service on which the web application and the reports application may send their own credentials. */
export const OWN_CREDENTIALS = {
  POLICY: policyWithEntries({
    "web-backend": { clientAuthentication: ["entra_secret", "entra_assertion"] },
    "public-users": { clientAuthentication: ["ignored_with_subject"] },
    reports: { clientAuthentication: ["entra_secret"] },
  }),
};

/** The secret of an application at Entra. */
export function secretOf({ tenant }: { tenant: Tenant }, client: ClientName): string {
  const secret = tenant.state.directory.registration(client)?.secrets[0]?.value;
  if (secret === undefined) throw new Error(`${client} has no secret`);
  return secret;
}

export function basic(client: ClientName, secret: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${CLIENT_IDS[client]}:${secret}`).toString("base64")}` };
}

/** `client_secret_post`. */
export function post(client: ClientName, secret: string): Record<string, string> {
  return { client_id: CLIENT_IDS[client], client_secret: secret };
}

export interface Signer {
  readonly client: ClientName;
  readonly privateKey: KeyObject;
  /** `x5t#S256` of the certificate. */
  readonly thumbprint: string;
}

/** Registers a new certificate for an application at Entra. */
export function registerCertificate({ tenant }: { tenant: Tenant }, client: ClientName): Signer {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const der = selfSignedCertificate(privateKey, Date.now());
  const lines = der.toString("base64").replaceAll(/.{64}/g, "$&\n");
  const certificate = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  tenant.state.addCertificate({ app: client, certificate });
  return { client, privateKey, thumbprint: createHash("sha256").update(der).digest("base64url") };
}

/** A `private_key_jwt` for Entra, as the form sends it. `claims` replace the right ones. */
export function ownAssertion(
  { tenant }: { tenant: Tenant },
  { client, privateKey, thumbprint }: Signer,
  claims: Readonly<Record<string, unknown>> = {},
): Record<string, string> {
  const now = Math.floor(Date.now() / 1_000);
  const header = { typ: "JWT", alg: "RS256", "x5t#S256": thumbprint };
  const payload = {
    iss: CLIENT_IDS[client],
    sub: CLIENT_IDS[client],
    aud: `${tenant.url}/${tenant.state.tenantId}/oauth2/v2.0/token`,
    jti: randomUUID(),
    nbf: now,
    exp: now + 300,
    ...claims,
  };
  const text = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const signature = sign("sha256", Buffer.from(text), privateKey).toString("base64url");
  return { client_assertion: `${text}.${signature}`, client_assertion_type: CLIENT_ASSERTION };
}
