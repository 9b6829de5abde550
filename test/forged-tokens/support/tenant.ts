/**
 * The tenant, the registration and the keys of all forged tokens, created once per test file. Imports nothing from
 * `shared/`, so that an error there cannot hide itself in the tests.
 */
import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";

/** 2026-09-21T13:46:40Z. The clock does not advance in these tests. */
export const NOW = 1_790_000_000;
export const MINUTE = 60;
export const HOUR = 60 * MINUTE;

export const TENANT_ID = "5a1d4c2e-7b3f-4e60-9a8c-1f2e3d4c5b6a";
export const OTHER_TENANT_ID = "c0ffee00-1111-4222-8333-444455556666";
/** Personal Microsoft accounts. */
export const CONSUMERS_TENANT_ID = "9188040d-6c67-4c5b-b112-36a304b66dad";

/** The registration of the service, which is the audience of caller tokens. */
export const SERVICE_ID = "11111111-2222-4333-8444-555555555555";
/** A client application that calls the service. */
export const CLIENT_ID = "22222222-3333-4444-8555-666666666666";
export const USER_ID = "33333333-4444-4555-8666-777777777777";
export const SERVICE_PRINCIPAL_ID = "44444444-5555-4666-8777-888888888888";

export const AUTHORITY_HOST = "https://login.microsoftonline.com";
export const V1_ISSUER_BASE = "https://sts.windows.net";
export const V2_ISSUER = `${AUTHORITY_HOST}/${TENANT_ID}/v2.0`;
export const V1_ISSUER = `${V1_ISSUER_BASE}/${TENANT_ID}/`;
export const V1_AUDIENCE = `api://${SERVICE_ID}`;

export interface SigningKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function createSigningKey(bits = 2048): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  const modulus = String(publicKey.export({ format: "jwk" }).n);
  const keyId = createHash("sha1").update(modulus).digest("base64url");
  return { keyId, privateKey, publicKey };
}

/** An entry of Entra's key set as captured (E-20), without the certificate, which a validator does not need (E-24). */
export function publish(key: SigningKey, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const { n, e } = key.publicKey.export({ format: "jwk" });
  const issuer = `${AUTHORITY_HOST}/{tenantid}/v2.0`;
  return { kty: "RSA", use: "sig", kid: key.keyId, x5t: key.keyId, n, e, issuer, ...changes };
}

/** Entra's key for this tenant. */
export const entraKey = createSigningKey();
/** Entra's key for personal accounts, from the same key set. */
export const consumersKey = createSigningKey();
/** A key that Entra never published. */
export const attackerKey = createSigningKey();

export const consumersIssuer = `${AUTHORITY_HOST}/${CONSUMERS_TENANT_ID}/v2.0`;

export const publishedKeySet = { keys: [publish(consumersKey, { issuer: consumersIssuer }), publish(entraKey)] };
