/**
 * Mints any token, including those that Entra never signs: any header, payload, key or signature. The tests of attacks use it
 * (RFC 8725). Over HTTP it requires the control key.
 */
import { constants, createHmac, type KeyObject, sign } from "node:crypto";
import { encodePart, type JsonObject, signCompact } from "../keys/compact-jws.ts";
import type { KeyChoice, KeyRing } from "../keys/key-ring.ts";

export interface MintTenant {
  readonly keys: KeyRing;
}

export type MintAlgorithm = "RS256" | "RS384" | "RS512" | "PS256" | "HS256" | "none";

export interface MintSigning {
  /** Default `active`. */
  readonly key?: KeyChoice;
  /** The signature algorithm, independent of the header. Default RS256. */
  readonly sign?: MintAlgorithm;
  /** For HS256 confusion (JW-4): the form of the public key that is used as the secret, or a text. Default `spki-pem`. */
  readonly hmacSecret?: "spki-pem" | "jwk" | "modulus" | { readonly text: string };
  /** A literal third part in place of a signature. */
  readonly signature?: string;
}

export interface MintSpec extends MintSigning {
  /** An object, or JSON text that may be invalid (duplicate members, trailing characters). */
  readonly header: JsonObject | string;
  readonly payload: JsonObject | string;
}

export function mint(tenant: MintTenant, spec: MintSpec): string {
  const { header, payload, signature } = spec;
  const text = `${encodePart(header)}.${encodePart(payload)}`;
  if (signature !== undefined) return `${text}.${signature}`;
  const graphStyle = typeof header === "object" && typeof payload === "object" && typeof header["nonce"] === "string";
  if (graphStyle && (spec.sign ?? "RS256") === "RS256") {
    return signCompact(header, payload, tenant.keys.choose(spec.key ?? "active").privateKey);
  }
  return `${text}.${signText(tenant, spec, Buffer.from(text)).toString("base64url")}`;
}

function signText(tenant: MintTenant, spec: MintSigning, text: Buffer): Buffer {
  const { privateKey, publicKey } = tenant.keys.choose(spec.key ?? "active");
  switch (spec.sign ?? "RS256") {
    case "RS256":
      return sign("sha256", text, privateKey);
    case "RS384":
      return sign("sha384", text, privateKey);
    case "RS512":
      return sign("sha512", text, privateKey);
    case "PS256":
      return sign("sha256", text, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    case "HS256":
      return createHmac("sha256", hmacSecret(spec, publicKey)).update(text).digest();
    case "none":
      return Buffer.alloc(0);
  }
}

function hmacSecret({ hmacSecret: choice = "spki-pem" }: MintSigning, publicKey: KeyObject): Buffer {
  if (typeof choice === "object") return Buffer.from(choice.text);
  const jwk = publicKey.export({ format: "jwk" });
  if (choice === "jwk") return Buffer.from(JSON.stringify(jwk));
  if (choice === "modulus") return Buffer.from(jwk.n ?? "", "base64url");
  return Buffer.from(publicKey.export({ type: "spki", format: "pem" }));
}
