/**
 * One signing key of the tenant: its private key, its certificate and its published JWK (E-20, E-24).
 */
import { createHash, createPublicKey, generateKeyPair, generateKeyPairSync, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { selfSignedCertificate } from "./certificate.ts";

/** The tenant of personal accounts. Its keys must not be accepted for a work account (E-21, TK-3). */
export const CONSUMERS_TENANT_ID = "9188040d-6c67-4c5b-b112-36a304b66dad";

export interface PublishedJwk {
  kty: "RSA";
  use: "sig";
  kid: string;
  x5t: string;
  n: string;
  e: string;
  x5c: [string];
  issuer: string;
}

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: PublishedJwk;
  /** The certificate in DER. */
  readonly certificate: Buffer;
}

const generate = promisify(generateKeyPair);

/** An RSA key of 2048 bits. */
export type NewPrivateKey = () => Promise<KeyObject>;

export const generatePrivateKey: NewPrivateKey = async () =>
  (await generate("rsa", { modulusLength: 2048 })).privateKey;

export interface SigningKeyInput {
  issuer: string;
  notBeforeMs: number;
}

/** For keys that are created on first use. */
export function createSigningKeySync(input: SigningKeyInput, modulusLength: number): SigningKey {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength });
  return toSigningKey(privateKey, input);
}

export function toSigningKey(privateKey: KeyObject, input: SigningKeyInput): SigningKey {
  const publicKey = createPublicKey(privateKey);
  const certificate = selfSignedCertificate(privateKey, input.notBeforeMs);
  const kid = createHash("sha1").update(certificate).digest("base64url");
  const { n = "", e = "" } = publicKey.export({ format: "jwk" });
  const jwk: PublishedJwk = {
    kty: "RSA",
    use: "sig",
    kid,
    x5t: kid,
    n,
    e,
    x5c: [certificate.toString("base64")],
    issuer: input.issuer,
  };
  return { kid, privateKey, publicKey, jwk, certificate };
}
