/**
 * Verifies the signature, and nothing else: `caller-claims.ts` checks the claims afterwards with exact types, so that the
 * reason of a refusal says whether the token is genuine. No other file on the request path verifies tokens with jose.
 *
 * jose's errors can contain the payload, so they are converted to codes here and never logged.
 */
import { type CryptoKey, compactVerify, errors } from "jose";
import type { TokenRefusal } from "../core/token-refusal.ts";
import { ALGORITHM } from "./token-header.ts";

export interface SignedToken {
  readonly compact: string;
  readonly key: CryptoKey;
}

/** `undefined`: the signature is valid. */
export async function verifySignature({ compact, key }: SignedToken): Promise<TokenRefusal | undefined> {
  try {
    await compactVerify(compact, key, { algorithms: [ALGORITHM] });
    return undefined;
  } catch (error) {
    return toRefusal(error);
  }
}

/**
 * A caller's token must never cause a 500, so every exception is a refusal. Exceptions that jose does not declare (a
 * TypeError for an unsuitable key, a fault of the runtime) get a separate code, so that an operator can distinguish them
 * from forged tokens.
 */
function toRefusal(error: unknown): TokenRefusal {
  if (error instanceof errors.JWSSignatureVerificationFailed) return "signature";
  if (error instanceof errors.JOSEAlgNotAllowed) return "algorithm";
  return "unverifiable";
}
