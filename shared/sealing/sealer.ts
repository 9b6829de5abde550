/**
 * Seals texts as JWE (`dir`, `A256GCM`): refresh tokens in the store, and whatever else must come back unread and
 * unchanged (cookies, links, codes). Each purpose has its own key, HKDF-SHA-256(vault key, salt, purpose), and its own
 * `typ`, so a seal of one purpose never opens as another. With a salt that only the holder knows (a grant's handle)
 * neither the storage nor the vault opens a seal alone.
 *
 * Opening compares the whole form with the one we write (RFC 8725 3.1, 3.11: no negotiation) before any key is used:
 * five parts, no encrypted key, exactly our header byte for byte, base64url in its one spelling. Expiry is the
 * content's business. Failures: `SealFailure`. jose does the cryptography.
 */

import { hkdfSync } from "node:crypto";
import { CompactEncrypt, compactDecrypt } from "jose";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SealFailure } from "./seal-failure.ts";
import { isKeyId, type SealingKeys } from "./sealing-keys.ts";

const ALGORITHM = "dir";
const ENCRYPTION = "A256GCM";
const KEY_BYTES = 32;
/** header..iv.ciphertext.tag: 12 bytes of iv, 16 of tag, no encrypted key. */
const FORM = /^([A-Za-z0-9_-]{1,400})\.\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{22})$/;
const PURPOSE = /^[a-z][a-z-]{1,30}$/;
/** Below the 32 K characters of a table property; a refresh token of Entra's makes about 3 K. */
export const SEALED_MAX_CHARACTERS = 30_000;
const TEXT_MAX_BYTES = 22_000;

export interface Sealer {
  /** `salt`: secret bytes that only the holder of the sealed thing knows. The same are needed to open. */
  seal(text: string, salt?: Uint8Array): Promise<Result<string, SealFailure>>;
  unseal(sealed: string, salt?: Uint8Array): Promise<Result<string, SealFailure>>;
}

export interface SealerInput {
  /** Lower-case word, part of the key and of `typ`: `grant` gives `gte-grant+jwe`. */
  readonly purpose: string;
  readonly keys: SealingKeys;
}

export function createSealer({ purpose, keys }: SealerInput): Sealer {
  if (!PURPOSE.test(purpose)) throw new TypeError("A sealer's purpose is a lower-case word.");
  return {
    async seal(text, salt) {
      if (text === "") throw new TypeError("There is nothing to seal.");
      const bytes = new TextEncoder().encode(text);
      if (bytes.byteLength > TEXT_MAX_BYTES) return fail({ kind: "seal_too_large" });
      const current = await keys.current();
      if (!current.ok) return current;
      const jwe = new CompactEncrypt(bytes).setProtectedHeader(header(current.value.kid, purpose));
      return succeed(await jwe.encrypt(deriveKey(current.value.key, purpose, salt)));
    },

    async unseal(sealed, salt) {
      const kid = readKeyId(sealed, purpose);
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
        // jose says no more than "decryption operation failed", on purpose.
        return fail({ kind: "seal_broken", problem: "decryption" });
      }
    },
  };
}

/** The members in the order in which they are written. */
function header(kid: string, purpose: string) {
  return { alg: ALGORITHM, enc: ENCRYPTION, kid, typ: `gte-${purpose}+jwe` };
}

/** The key id, if the text is exactly of the form that `seal` writes for this purpose. */
function readKeyId(sealed: string, purpose: string): string | undefined {
  if (sealed.length > SEALED_MAX_CHARACTERS) return undefined;
  const form = FORM.exec(sealed);
  if (form === null) return undefined;
  const [encodedHeader = "", ...others] = form.slice(1);
  if (!others.every((part) => Buffer.from(part, "base64url").toString("base64url") === part)) return undefined;
  const kid = readKid(encodedHeader);
  if (kid === undefined || !isKeyId(kid)) return undefined;
  // Written again from what was read: a member too many, another order, a space or a second spelling all differ.
  const written = Buffer.from(JSON.stringify(header(kid, purpose))).toString("base64url");
  return written === encodedHeader ? kid : undefined;
}

function readKid(encodedHeader: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(encodedHeader, "base64url").toString());
    const kid = typeof parsed === "object" && parsed !== null && "kid" in parsed ? parsed.kid : undefined;
    return typeof kid === "string" ? kid : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 5869. `info` separates purposes; an absent salt is HKDF's own default of zeros. */
function deriveKey(key: Uint8Array, purpose: string, salt: Uint8Array = new Uint8Array()): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, salt, `gte-${purpose}+jwe ${ENCRYPTION}`, KEY_BYTES));
}
