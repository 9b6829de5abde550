/**
 * Stage 1 of 5: caller. The form of a token, before anything in it is read: length, three parts of base64url (RFC 7515
 * sections 2 and 7.1), each in its one canonical spelling. Without the last rule a token has up to sixteen spellings
 * (unused bits of a part's last character) and every cache and replay check keyed by its text can be side-stepped.
 * Pure: no I/O. Does not judge what the header says (`token-header.ts`), nor open the payload.
 */

import { type JsonObject, readJsonObject } from "../core/json-object.ts";
import { TOKEN_MAX_BYTES } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { TokenRefusal } from "../core/token-refusal.ts";

export interface CompactToken {
  /** The token as presented, which is its only spelling. */
  readonly compact: string;
  /** Decoded header: an object, nothing more is known of it. */
  readonly header: JsonObject;
  /** Payload, decoded from base64url and not yet parsed: it is not worth reading before the signature is checked. */
  readonly payload: Uint8Array;
}

/** Letters, digits, `-`, `_` and exactly two dots; no part empty, so no unsigned and no encrypted token. */
const THREE_PARTS = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

export function readCompactForm(token: string): Result<CompactToken, TokenRefusal> {
  // A form body may be larger than any header: nothing is done with a token before this line.
  if (token.length > TOKEN_MAX_BYTES) return fail("too_long");
  const [, header, payload, signature] = THREE_PARTS.exec(token) ?? [];
  const headerBytes = decodeCanonical(header);
  const payloadBytes = decodeCanonical(payload);
  if (headerBytes === undefined || payloadBytes === undefined || decodeCanonical(signature) === undefined) {
    return fail("not_compact");
  }
  const headerObject = readJsonObject(headerBytes);
  if (headerObject === undefined) return fail("not_json");
  return succeed({ compact: token, header: headerObject, payload: payloadBytes });
}

/** Decodes base64url and demands that encoding gives the same text again. */
function decodeCanonical(part: string | undefined): Uint8Array | undefined {
  if (part === undefined) return undefined;
  const bytes = Buffer.from(part, "base64url");
  return bytes.toString("base64url") === part ? bytes : undefined;
}
