/**
 * The three times of a token (RFC 7519 sections 4.1.4 to 4.1.6). Entra always sends all three as whole seconds, so all
 * three are required; `1e400`, a fraction and a string are refused. Pure: the clock is an argument.
 */

import { type JsonObject, member } from "../core/json-object.ts";
import { CLOCK_TOLERANCE_SECONDS } from "../core/limits.ts";
import type { TokenRefusal } from "../core/token-refusal.ts";

/**
 * Entra's longest access tokens (continuous access evaluation) are valid for 28 hours from issue, and `iat` is about
 * five minutes before the issue. A longer lifetime means that the token is forged or read wrongly.
 */
const LIFETIME_MAX_SECONDS = 28 * 60 * 60 + 10 * 60;

export function checkTokenTimes(payload: JsonObject, nowSeconds: number): TokenRefusal | undefined {
  const expires = member(payload, "exp");
  const notBefore = member(payload, "nbf");
  const issued = member(payload, "iat");
  if (!isTime(expires) || !isTime(notBefore) || !isTime(issued)) return "claim_type";
  // A token is refused "on or after" its time of expiry (RFC 7519 section 4.1.4), hence <= and not <.
  if (expires <= nowSeconds - CLOCK_TOLERANCE_SECONDS) return "expired";
  if (notBefore > nowSeconds + CLOCK_TOLERANCE_SECONDS) return "not_yet_valid";
  if (issued > nowSeconds + CLOCK_TOLERANCE_SECONDS) return "issued_in_future";
  const lifetime = expires - issued;
  return lifetime <= 0 || lifetime > LIFETIME_MAX_SECONDS ? "lifetime" : undefined;
}

/** A whole number of seconds since 1970, not negative. */
function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
