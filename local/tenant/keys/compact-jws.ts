/**
 * Signs and decodes compact JWS without a library. The tenant must mint tokens that a library refuses to sign, and Graph's
 * tokens are signed over a header that differs from the sent one (E-38).
 */
import { createHash, type KeyObject, sign, verify } from "node:crypto";

export type JsonObject = { [member: string]: unknown };

export interface DecodedJws {
  header: JsonObject;
  payload: JsonObject;
  signedText: string;
  signature: Buffer;
}

export function encodePart(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

/** Signs with RS256. If the header has a `nonce`, the signature covers the header with the SHA-256 of the nonce (E-38). */
export function signCompact(header: JsonObject, payload: JsonObject, privateKey: KeyObject): string {
  const body = encodePart(payload);
  const signature = sign("sha256", Buffer.from(`${encodePart(withHashedNonce(header))}.${body}`), privateKey);
  return `${encodePart(header)}.${body}.${signature.toString("base64url")}`;
}

export function decodeCompact(token: string): DecodedJws | undefined {
  const parts = token.split(".");
  const [head, body, tail] = parts;
  if (parts.length !== 3 || head === undefined || body === undefined || tail === undefined) return undefined;
  const header = parseObject(head);
  const payload = parseObject(body);
  if (header === undefined || payload === undefined) return undefined;
  return { header, payload, signedText: `${head}.${body}`, signature: Buffer.from(tail, "base64url") };
}

export function verifyRs256(jws: DecodedJws, publicKey: KeyObject): boolean {
  if (jws.header["alg"] !== "RS256") return false;
  const body = jws.signedText.slice(jws.signedText.indexOf("."));
  const text = "nonce" in jws.header ? `${encodePart(withHashedNonce(jws.header))}${body}` : jws.signedText;
  return verify("sha256", Buffer.from(text), publicKey, jws.signature);
}

function withHashedNonce(header: JsonObject): JsonObject {
  if (typeof header["nonce"] !== "string") return header;
  return { ...header, nonce: createHash("sha256").update(header["nonce"]).digest("base64url") };
}

function parseObject(part: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
