/**
 * Mode `key-vault-certificate`: the vault secret that belongs to a Key Vault certificate. Rotation is in
 * `rotating-credential.ts`; this file turns the secret's text into a private key and the thumbprint that Entra looks up.
 *
 * The certificate must be created with content type `application/x-pem-file` and an exportable RSA key. A PKCS #12 file
 * is refused with a separate problem code: Node can open one for TLS only and does not return its key, and choosing
 * another content type is easier than maintaining a PKCS #12 parser. No I/O here.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { ClientCredentialSource, CredentialProblem } from "./client-credential.ts";
import { createRotatingCredential, type ReadCredential, type RotatingCredentialInput } from "./rotating-credential.ts";
import type { VaultSecret } from "./vault.ts";

const PKCS12 = "application/x-pkcs12";
const RSA_BITS_MIN = 2048;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN (?:RSA )?PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END (?:RSA )?PRIVATE KEY-----/;

export type ClientCertificateInput = Omit<RotatingCredentialInput, "toCredential">;

export function createClientCertificate(input: ClientCertificateInput): ClientCredentialSource {
  return createRotatingCredential({ ...input, toCredential: readCertificate });
}

/** Exported for its tests. */
export function readCertificate(secret: VaultSecret): Result<ReadCredential, CredentialProblem> {
  const text = secret.value.reveal();
  if (secret.contentType === PKCS12 || !text.includes("-----BEGIN ")) return fail("certificate_is_pkcs12");
  const key = parseKey(text);
  if (key === undefined) return fail("certificate_key_missing");
  if (key.asymmetricKeyType !== "rsa" || (key.asymmetricKeyDetails?.modulusLength ?? 0) < RSA_BITS_MIN) {
    return fail("certificate_key_unsuitable");
  }
  const certificate = (text.match(CERTIFICATE) ?? []).map(parseCertificate).find((it) => it?.checkPrivateKey(key));
  if (certificate === undefined) return fail("certificate_missing");
  return succeed({
    credential: {
      kind: "certificate",
      privateKey: new SecretValue(key.export({ type: "pkcs8", format: "pem" }).toString()),
      thumbprintSha256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
      version: secret.version,
    },
    notBeforeSeconds: Math.floor(certificate.validFromDate.getTime() / 1000),
    expiresAtSeconds: Math.floor(certificate.validToDate.getTime() / 1000),
  });
}

function parseKey(text: string): KeyObject | undefined {
  const pem = PRIVATE_KEY.exec(text)?.[0];
  if (pem === undefined) return undefined;
  try {
    return createPrivateKey(pem);
  } catch {
    // The error's text may contain the key, so only the problem code is passed on.
    return undefined;
  }
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
