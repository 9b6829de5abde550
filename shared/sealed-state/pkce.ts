/**
 * Proof Key for Code Exchange (RFC 7636) on both sides: the service sends a challenge to Entra and verifies the
 * challenge of its caller. S256 only: `plain` would put the verifier itself into a URL. Pure except for randomness.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** Section 4.1: 43 to 128 unreserved characters. */
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;
/** Section 4.2: base64url of a SHA-256, always 43 characters. */
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

export function isVerifier(text: string): boolean {
  return VERIFIER.test(text);
}

export function isChallenge(text: string): boolean {
  return CHALLENGE.test(text);
}

/** 256 random bits in base64url: 43 characters, as section 4.1 recommends for a verifier. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** S256: base64url(SHA-256(verifier)). */
export function challengeOf(verifier: string): string {
  return createHash("sha256").update(verifier, "ascii").digest("base64url");
}

/** Compares in constant time: the duration does not depend on where the texts differ. */
export function sameText(one: string, other: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}
