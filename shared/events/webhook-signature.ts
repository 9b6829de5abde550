/**
 * The signature of a webhook, as Standard Webhooks specifies it, so that receivers can use its libraries. Pure.
 *
 * Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHmac } from "node:crypto";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";

/** `whsec_` and 24 to 64 random bytes in base64. */
const SECRET = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/;
const [KEY_MIN_BYTES, KEY_MAX_BYTES] = [24, 64];
/** During a rotation there are two. */
const SECRETS_MAX = 2;

/** The keys of a value in the vault: one secret, or during a rotation the new and the old one with a blank between them. */
export function readSigningKeys(value: SecretValue): Result<readonly SecretValue[], "webhook_secret_invalid"> {
  const secrets = value.reveal().trim().split(/\s+/);
  const keys = secrets.flatMap((secret) => toKey(secret) ?? []);
  return keys.length === secrets.length && keys.length <= SECRETS_MAX ? succeed(keys) : fail("webhook_secret_invalid");
}

export interface SignedContent {
  readonly id: string;
  /** Of this attempt, seconds since 1970. */
  readonly timestampSeconds: number;
  readonly body: string;
}

/** The three headers. Each key makes one signature, so that a receiver with the old or the new secret accepts the event. */
export function signatureHeaders(
  keys: readonly SecretValue[],
  { id, timestampSeconds, body }: SignedContent,
): Readonly<Record<string, string>> {
  const signed = `${id}.${timestampSeconds}.${body}`;
  const signatures = keys.map((key) => `v1,${hmac(key, signed)}`);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": signatures.join(" "),
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** The key in base64. */
function toKey(secret: string): SecretValue | undefined {
  const encoded = SECRET.exec(secret)?.[1];
  if (encoded === undefined) return undefined;
  const { length } = Buffer.from(encoded, "base64");
  return length >= KEY_MIN_BYTES && length <= KEY_MAX_BYTES ? new SecretValue(encoded) : undefined;
}

function hmac(key: SecretValue, text: string): string {
  return createHmac("sha256", Buffer.from(key.reveal(), "base64")).update(text).digest("base64");
}
