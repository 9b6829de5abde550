/**
 * Claims challenges: finds the claims in a response, and reads and writes the value of `--claims`.
 * https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
import { usageFailure } from "./cli-failure.ts";
import { parseJsonObject, type Received } from "./send.ts";

/** The claims that the next token must satisfy, as JSON text; undefined if the response has no claims challenge. */
export function readClaimsChallenge({ status, headers, text }: Received): string | undefined {
  if (status !== 400 && status !== 401 && status !== 403) return undefined;
  const inBody = parseJsonObject(text)?.["claims"];
  if (typeof inBody === "string" && parseJsonObject(inBody) !== undefined) return inBody;
  const challenge = parseChallenge(headers.get("www-authenticate") ?? "");
  const encoded = challenge.get("error") === "insufficient_claims" ? challenge.get("claims") : undefined;
  return encoded === undefined ? undefined : decode(encoded);
}

/** The value is JSON, or base64 (standard or URL-safe) as in a challenge or in the commands that this program suggests. */
export function readClaimsOption(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const claims = parseJsonObject(text) === undefined ? decode(text) : text;
  if (claims === undefined) throw usageFailure("--claims must be a JSON object, plain or encoded as base64.");
  return claims;
}

/** No shell requires quotes around base64url. */
export function encodeClaims(claims: string): string {
  return Buffer.from(claims, "utf8").toString("base64url");
}

/** Buffer accepts standard and URL-safe base64. */
function decode(encoded: string): string | undefined {
  const text = Buffer.from(encoded, "base64").toString("utf8");
  return parseJsonObject(text) === undefined ? undefined : text;
}

/**
 * Reads the parameters of WWW-Authenticate (RFC 9110 section 11.2): tokens or quoted strings. Graph sends some values
 * without quotes; base64 padding in them is accepted.
 */
export function parseChallenge(header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name = "", quoted, bare] of header.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g)) {
    parameters.set(name.toLowerCase(), quoted === undefined ? (bare ?? "") : quoted.replace(/\\(.)/g, "$1"));
  }
  return parameters;
}
