/**
 * Reads `Authorization: Basic` (RFC 7617) as RFC 6749 section 2.3.1 means it: client id and secret are form-urlencoded,
 * then joined with a colon. Many clients leave out the encoding. That makes no difference for a GUID and for the secrets that
 * Entra issues today, which have neither a percent sign nor a plus. A client with an older secret that has a plus must
 * encode it. Pure.
 */

/** Base64 with its padding, in one spelling. */
const BASIC = /^Basic ([A-Za-z0-9+/]+={0,2})$/i;

/** Undefined: not base64, not UTF-8, without a colon, or not form-urlencoded. */
export function readBasic(header: string): { readonly clientId: string; readonly secret: string } | undefined {
  const [, encoded = ""] = BASIC.exec(header) ?? [];
  const bytes = Buffer.from(encoded, "base64");
  if (encoded === "" || bytes.toString("base64") !== encoded) return undefined;
  const text = decodeUtf8(bytes);
  // RFC 7617 section 2: the user id has no colon, so the first one ends it.
  const colon = text?.indexOf(":") ?? -1;
  if (text === undefined || colon < 0) return undefined;
  const clientId = decodeFormPart(text.slice(0, colon));
  const secret = decodeFormPart(text.slice(colon + 1));
  return clientId === undefined || secret === undefined ? undefined : { clientId, secret };
}

// ------------------------------------------------------------------------------------------------------------------

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function decodeFormPart(part: string): string | undefined {
  try {
    return decodeURIComponent(part.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
