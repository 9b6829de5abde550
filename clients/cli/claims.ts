/**
 * Claims challenges: where an answer carries one, and how a person passes one on.
 * https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
import { usage } from "./cli-failure.ts";
import { jsonObject, type Received } from "./send.ts";

/** What the answer demands of the next token, as JSON text; undefined when it demands nothing. */
export function demandedClaims({ status, headers, text }: Received): string | undefined {
  if (status !== 400 && status !== 401 && status !== 403) return undefined;
  const inBody = jsonObject(text)?.["claims"];
  if (typeof inBody === "string" && jsonObject(inBody) !== undefined) return inBody;
  const challenge = readChallenge(headers.get("www-authenticate") ?? "");
  const encoded = challenge.get("error") === "insufficient_claims" ? challenge.get("claims") : undefined;
  return encoded === undefined ? undefined : decode(encoded);
}

/** JSON, or the base64 (of either alphabet) that a challenge or our own message carries. */
export function readClaimsOption(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const claims = jsonObject(text) === undefined ? decode(text) : text;
  if (claims === undefined) throw usage("--claims is a JSON object, or one in base64.");
  return claims;
}

/** Pastes into any shell without quotes. */
export function encodeClaims(claims: string): string {
  return Buffer.from(claims, "utf8").toString("base64url");
}

/** Buffer reads both base64 alphabets. */
function decode(encoded: string): string | undefined {
  const text = Buffer.from(encoded, "base64").toString("utf8");
  return jsonObject(text) === undefined ? undefined : text;
}

/** RFC 9110 section 11.2: tokens or quoted strings; Graph leaves some unquoted. Base64 padding and commas are safe here. */
function readChallenge(header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name = "", quoted, bare] of header.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g)) {
    parameters.set(name.toLowerCase(), quoted === undefined ? (bare ?? "") : quoted.replace(/\\(.)/g, "$1"));
  }
  return parameters;
}
