/**
 * Decides which of the keys that Entra publishes may sign for this tenant. Pure except for the import of key material
 * through jose; fetching is in `issuer-keys.ts`.
 *
 * The document (RFC 7517) contains keys of several issuers. A key belongs to this tenant if its `issuer` member, with
 * `{tenantid}` replaced, is this tenant's issuer, or if it has no `issuer`. In 2023 a consumer key signed enterprise
 * tokens, because validation accepted every published key (Storm-0558).
 */
import { type CryptoKey, importJWK } from "jose";
import { isJsonObject, type JsonObject, member } from "../core/json-object.ts";
import { parseJson } from "../core/json-text.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { ALGORITHM } from "./token-header.ts";

export interface IssuerKey {
  /** `n`: the public modulus, base64url. Distinguishes two keys with the same `kid`. */
  readonly modulus: string;
  readonly key: CryptoKey;
}

export type KeySet = ReadonlyMap<string, IssuerKey>;

export interface KeyOwner {
  readonly tenantId: string;
  /** Issuer of this tenant's v2 tokens. */
  readonly tenantIssuer: string;
}

/** RFC 7518 section 3.3. */
const MODULUS_MIN_BITS = 2048;
/** 65537, the exponent of every key that Entra has published. With an exponent of 1 every signature is valid. */
const EXPONENT = "AQAB";

/** Moduli by `kid`, or why the document cannot be used. */
export function readKeySet(
  body: string,
  owner: KeyOwner,
): Result<ReadonlyMap<string, string>, "not_a_key_set" | "no_usable_key"> {
  const published = publishedKeys(body);
  if (published === undefined) return fail("not_a_key_set");
  const moduli = new Map<string, string>();
  const contradicted = new Set<string>();
  for (const entry of published) {
    const usable = readUsableKey(entry, owner);
    if (usable === undefined) continue;
    const known = moduli.get(usable.keyId);
    if (known !== undefined && known !== usable.modulus) contradicted.add(usable.keyId);
    moduli.set(usable.keyId, usable.modulus);
  }
  // Two keys with one id: it is unknown which one signs, so neither is trusted.
  for (const keyId of contradicted) moduli.delete(keyId);
  return moduli.size > 0 ? succeed(moduli) : fail("no_usable_key");
}

/** Imports new keys. A key with the same id and material as before is not imported again. */
export async function importKeySet(moduli: ReadonlyMap<string, string>, before: KeySet): Promise<KeySet> {
  const keys = new Map<string, IssuerKey>();
  for (const [keyId, modulus] of moduli) {
    const known = before.get(keyId);
    keys.set(keyId, known?.modulus === modulus ? known : { modulus, key: await importKey(modulus) });
  }
  return keys;
}

// ---------------------------------------------------------------------------------------------------------------

function publishedKeys(body: string): readonly unknown[] | undefined {
  const document = parseJson(body);
  const keys = isJsonObject(document) ? member(document, "keys") : undefined;
  return Array.isArray(keys) ? keys : undefined;
}

function readUsableKey(entry: unknown, owner: KeyOwner): { keyId: string; modulus: string } | undefined {
  if (!isJsonObject(entry) || !isSigningKey(entry) || !isIssuedBy(entry, owner)) return undefined;
  const keyId = member(entry, "kid");
  const modulus = member(entry, "n");
  if (typeof keyId !== "string" || keyId === "" || typeof modulus !== "string") return undefined;
  return bitLength(modulus) >= MODULUS_MIN_BITS ? { keyId, modulus } : undefined;
}

/** Entra writes no `alg`; if there is one, it must be the accepted algorithm. */
function isSigningKey(entry: JsonObject): boolean {
  const algorithm = member(entry, "alg");
  return (
    member(entry, "kty") === "RSA" &&
    member(entry, "use") === "sig" &&
    member(entry, "e") === EXPONENT &&
    (algorithm === undefined || algorithm === ALGORITHM)
  );
}

function isIssuedBy(entry: JsonObject, owner: KeyOwner): boolean {
  if (!Object.hasOwn(entry, "issuer")) return true;
  const issuer = member(entry, "issuer");
  return typeof issuer === "string" && issuer.replaceAll("{tenantid}", owner.tenantId) === owner.tenantIssuer;
}

/** Bits of a base64url number, leading zeros not counted; 0 if it is not canonical base64url. */
function bitLength(number: string): number {
  const bytes = Buffer.from(number, "base64url");
  if (bytes.toString("base64url") !== number) return 0;
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (bytes.length - first) * 8 - Math.clz32(bytes.readUInt8(first)) + 24;
}

/** Only the public numbers are imported; the other members of the key were checked above. */
async function importKey(modulus: string): Promise<CryptoKey> {
  // jose returns bytes only for symmetric keys.
  return (await importJWK({ kty: "RSA", n: modulus, e: EXPONENT }, ALGORITHM)) as CryptoKey;
}
