/**
 * Seals texts as JWE (`dir`, `A256GCM`): refresh tokens in the grant store, and values that browsers and callers must
 * return unread and unchanged (cookies, links, codes). Each purpose has its own key, HKDF-SHA-256(vault key, salt,
 * purpose), and its own `typ`, so a seal of one purpose cannot be unsealed as another. If the salt is known only to the
 * holder (a grant's handle), neither the storage nor the vault alone is enough to unseal.
 *
 * `unseal` first compares the whole form with the form that `seal` writes (RFC 8725 3.1, 3.11: no negotiation), before
 * any key is used: five parts, no encrypted key, the same header byte for byte, canonical base64url. Expiry is checked
 * by the reader of the content. Failures: `SealFailure`. jose does the cryptography.
 */

import { hkdfSync } from "node:crypto";
import { CompactEncrypt, compactDecrypt } from "jose";
import { isJsonObject, member } from "../core/json-object.ts";
import { parseJson } from "../core/json-text.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SealFailure } from "./seal-failure.ts";
import { isKeyId, type SealingKeys } from "./sealing-keys.ts";

const ALGORITHM = "dir";
const ENCRYPTION = "A256GCM";
const KEY_BYTES = 32;
/** header..iv.ciphertext.tag: 12 bytes of iv, 16 of tag, no encrypted key. */
const FORM = /^([A-Za-z0-9_-]{1,400})\.\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{22})$/;
const PURPOSE = /^[a-z][a-z0-9-]{1,30}$/;
/** Below the limit of a table property (32 K characters). A sealed refresh token of Entra has about 3 K. */
const SEALED_MAX_CHARACTERS = 30_000;
const TEXT_MAX_BYTES = 22_000;

export interface Sealer {
  /** `salt`: secret bytes that only the holder of the sealed text knows. The same bytes are needed to unseal it. */
  seal(text: string, salt?: Uint8Array): Promise<Result<string, SealFailure>>;
  unseal(sealed: string, salt?: Uint8Array): Promise<Result<string, SealFailure>>;
}

export interface SealerInput {
  /** Lower-case word, part of the key and of `typ`: `grant` gives `gte-grant+jwe`. */
  readonly purpose: string;
  readonly keys: SealingKeys;
}

export function createSealer({ purpose, keys }: SealerInput): Sealer {
  if (!PURPOSE.test(purpose))
    throw new TypeError("The purpose of a sealer must be lower-case letters, digits and hyphens.");
  return {
    async seal(text, salt) {
      if (text === "") throw new TypeError("The text to seal must not be empty.");
      const bytes = new TextEncoder().encode(text);
      if (bytes.byteLength > TEXT_MAX_BYTES) return fail({ kind: "seal_too_large" });
      const current = await keys.current();
      if (!current.ok) return current;
      const jwe = new CompactEncrypt(bytes).setProtectedHeader(toHeader(current.value.kid, purpose));
      return succeed(await jwe.encrypt(deriveKey(current.value.key, purpose, salt)));
    },

    async unseal(sealed, salt) {
      const kid = readSealingKeyId(sealed, purpose);
      if (kid === undefined) return fail({ kind: "seal_broken", problem: "form" });
      const named = await keys.byId(kid, purpose);
      if (!named.ok) return named;
      try {
        const { plaintext } = await compactDecrypt(sealed, deriveKey(named.value.key, purpose, salt), {
          keyManagementAlgorithms: [ALGORITHM],
          contentEncryptionAlgorithms: [ENCRYPTION],
        });
        return succeed(new TextDecoder("utf-8", { fatal: true }).decode(plaintext));
      } catch {
        // jose does not say why the decryption failed, on purpose.
        return fail({ kind: "seal_broken", problem: "decryption" });
      }
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** The members in the order in which `seal` writes them. */
function toHeader(kid: string, purpose: string) {
  return { alg: ALGORITHM, enc: ENCRYPTION, kid, typ: `gte-${purpose}+jwe` };
}

/** The key id, if the text is exactly of the form that `seal` writes for this purpose. */
function readSealingKeyId(sealed: string, purpose: string): string | undefined {
  if (sealed.length > SEALED_MAX_CHARACTERS) return undefined;
  const form = FORM.exec(sealed);
  if (form === null) return undefined;
  const [encodedHeader = "", ...others] = form.slice(1);
  if (!others.every((part) => Buffer.from(part, "base64url").toString("base64url") === part)) return undefined;
  const kid = readKid(encodedHeader);
  if (kid === undefined || !isKeyId(kid)) return undefined;
  // Rebuild the header and compare byte for byte, so an extra member, another order or whitespace is rejected.
  const expected = Buffer.from(JSON.stringify(toHeader(kid, purpose))).toString("base64url");
  return expected === encodedHeader ? kid : undefined;
}

function readKid(encodedHeader: string): string | undefined {
  const parsed = parseJson(Buffer.from(encodedHeader, "base64url").toString());
  const kid = isJsonObject(parsed) ? member(parsed, "kid") : undefined;
  return typeof kid === "string" ? kid : undefined;
}

/** RFC 5869. `info` separates purposes; without a salt HKDF's default of zeros is used. */
function deriveKey(key: Uint8Array, purpose: string, salt: Uint8Array = new Uint8Array()): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, salt, `gte-${purpose}+jwe ${ENCRYPTION}`, KEY_BYTES));
}
