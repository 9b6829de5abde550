/**
 * The form of a token, checked before its content is read: length, three parts of base64url (RFC 7515 sections 2 and
 * 7.1), each in canonical form. Without the last rule a token has up to sixteen spellings (unused bits of a part's last
 * character), and a caller can bypass every cache and replay check that uses its text as key. Pure: no I/O. Does not
 * check the content of the header (`token-header.ts`) and does not parse the payload.
 */

import { type JsonObject, readJsonObject } from "../core/json-object.ts";
import { TOKEN_MAX_BYTES } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { TokenRefusal } from "../core/token-refusal.ts";

export interface CompactToken {
  /** The token as presented, in its only valid spelling. */
  readonly compact: string;
  /** Decoded header: a JSON object, not checked further. */
  readonly header: JsonObject;
  /** Payload, decoded from base64url but not parsed: it must not be read before the signature is checked. */
  readonly payload: Uint8Array;
}

/** Letters, digits, `-`, `_` and exactly two dots; no part empty, so no unsigned and no encrypted token. */
const THREE_PARTS = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/** The scheme of an `Authorization` header, pasted with the token. */
const BEARER_PREFIX = /^bearer\W/i;

export function readCompactForm(token: string): Result<CompactToken, TokenRefusal> {
  // A form body may be larger than any header, so the length is checked before everything else.
  if (token.length > TOKEN_MAX_BYTES) return fail("too_long");
  const [, header, payload, signature] = THREE_PARTS.exec(token) ?? [];
  const headerBytes = decodeCanonical(header);
  const payloadBytes = decodeCanonical(payload);
  if (headerBytes === undefined || payloadBytes === undefined || decodeCanonical(signature) === undefined) {
    return fail(BEARER_PREFIX.test(token) ? "bearer_prefix" : "not_compact");
  }
  const headerObject = readJsonObject(headerBytes);
  if (headerObject === undefined) return fail("not_json");
  return succeed({ compact: token, header: headerObject, payload: payloadBytes });
}

/** Decodes base64url. Undefined: encoding the bytes again gives another text. */
function decodeCanonical(part: string | undefined): Uint8Array | undefined {
  if (part === undefined) return undefined;
  const bytes = Buffer.from(part, "base64url");
  return bytes.toString("base64url") === part ? bytes : undefined;
}
