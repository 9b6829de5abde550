/**
 * Verifies the signature, and the registered claims as a JWT library checks them. No other file on the request path
 * verifies tokens with jose. Every option is given, because jose skips a check whose option is `undefined`; the clock is
 * an argument for the same reason. `caller-claims.ts` repeats the checks that are too lenient in jose.
 *
 * jose's errors contain the whole payload as their `cause`, so they are converted to codes here and never logged.
 */
import { type CryptoKey, errors, jwtVerify } from "jose";
import { CLOCK_TOLERANCE_SECONDS } from "../core/limits.ts";
import type { TokenRefusal } from "../core/token-refusal.ts";
import type { CallerRules } from "./caller-rules.ts";
import { ALGORITHM, HEADER_TYPE } from "./token-header.ts";

export interface SignedToken {
  readonly compact: string;
  readonly key: CryptoKey;
}

/** `undefined`: signature, issuer, audience and times are valid. */
export async function verifySignature(
  token: SignedToken,
  rules: CallerRules,
  nowSeconds: number,
): Promise<TokenRefusal | undefined> {
  const acceptV1 = rules.v1Audiences.length > 0;
  try {
    await jwtVerify(token.compact, token.key, {
      algorithms: [ALGORITHM],
      typ: HEADER_TYPE,
      issuer: acceptV1 ? [rules.v2Issuer, rules.v1Issuer] : [rules.v2Issuer],
      audience: [rules.clientId, ...rules.v1Audiences],
      requiredClaims: ["iss", "aud", "exp", "nbf", "iat"],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(nowSeconds * 1000),
    });
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
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWTClaimValidationFailed) return toClaimRefusal(error.claim, error.reason);
  if (error instanceof errors.JWTInvalid) return "not_json";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "signature";
  if (error instanceof errors.JOSEAlgNotAllowed) return "algorithm";
  return "unverifiable";
}

function toClaimRefusal(claim: string, reason: string): TokenRefusal {
  switch (claim) {
    case "iss":
      return "issuer";
    case "aud":
      return "audience";
    case "nbf":
      return reason === "check_failed" ? "not_yet_valid" : "claim_type";
    case "typ":
      return "header_type";
    default:
      return "claim_type";
  }
}
