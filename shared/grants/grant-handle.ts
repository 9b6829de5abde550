/**
 * Handles: a caller holds a handle instead of a refresh token. `gte_` and 256 random bits in base64url, one spelling
 * per value. The store has only the handle's SHA-256, so a copy of the table is not enough to redeem a grant. No I/O.
 */
import { createHash, randomBytes } from "node:crypto";
import { isGrantHandle } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";

const PREFIX = "gte_";
const HANDLE_BYTES = 32;

export interface GrantHandle {
  readonly secret: SecretValue;
  /** Hex SHA-256 of the handle's text: the row key. */
  readonly id: string;
}

export function newHandle(): GrantHandle {
  return toHandle(PREFIX + randomBytes(HANDLE_BYTES).toString("base64url"));
}

export function parseHandle(text: string): Result<GrantHandle, { readonly kind: "handle_malformed" }> {
  return isGrantHandle(text) ? succeed(toHandle(text)) : fail({ kind: "handle_malformed" });
}

/** The random part, for key derivation. */
export function handleBytes(handle: GrantHandle): Uint8Array {
  return Buffer.from(handle.secret.reveal().slice(PREFIX.length), "base64url");
}

function toHandle(text: string): GrantHandle {
  return { secret: new SecretValue(text), id: createHash("sha256").update(text).digest("hex") };
}
