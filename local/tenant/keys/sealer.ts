/**
 * Seals values into opaque strings that only this tenant can read: refresh tokens (E-90) and the `aio` claim (E-35).
 * AES-256-GCM with a key that exists until the process ends. Entra's values are opaque too. The tenant stores no state.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

export interface Sealer {
  seal(value: unknown): string;
  /** Returns the sealed value, or undefined if this tenant did not seal the text. */
  unseal(text: string): unknown;
}

export function createSealer(): Sealer {
  const key = randomBytes(32);
  return {
    seal: (value) => {
      const iv = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, iv);
      const body = Buffer.concat([cipher.update(JSON.stringify(value), "utf8"), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString("base64url");
    },
    unseal: (text) => {
      const bytes = Buffer.from(text, "base64url");
      if (bytes.length < 29 || bytes.toString("base64url") !== text) return undefined;
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
        decipher.setAuthTag(bytes.subarray(12, 28));
        const body = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
        return JSON.parse(body.toString("utf8"));
      } catch {
        return undefined;
      }
    },
  };
}
