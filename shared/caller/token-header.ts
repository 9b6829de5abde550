/**
 * Stage 1 of 5: caller. What the header of a token may say. Entra sends `typ`, `alg`, `kid` and, in v1 tokens, `x5t`
 * (a hint that equals `kid`). Everything in a header is the sender's word until the signature is checked, so nothing in
 * it chooses how to check: the algorithm is fixed (RFC 8725 section 3.1) and `kid` only picks from Entra's own keys
 * (section 3.10). Pure: no I/O.
 */

import { type JsonObject, member } from "../core/json-object.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { TokenRefusal } from "../core/token-refusal.ts";

/** The one algorithm Entra signs with. */
export const ALGORITHM = "RS256";

/** `JWT` is what Entra writes, in these letters; it never writes `at+jwt` (RFC 9068). */
export const HEADER_TYPE = "JWT";

/**
 * Members that name a key of the sender's choice (`jwk`, `jku`, `x5u`, `x5c`), change how the token is to be read
 * (`crit`, `b64`, `cty`), belong to encryption (`enc`, `zip`, `epk`, `p2c`, `p2s`), or mark a token of Microsoft Graph,
 * whose signature covers something else (`nonce`). None is ever in a token for this service.
 */
const REFUSED_MEMBERS = [
  "jwk",
  "jku",
  "x5u",
  "x5c",
  "crit",
  "b64",
  "cty",
  "enc",
  "zip",
  "epk",
  "p2c",
  "p2s",
  "nonce",
] as const;

/** Gives the `kid`, a non-empty string and nothing more; it is not yet known to be one of Entra's. */
export function readKeyId(header: JsonObject): Result<string, TokenRefusal> {
  if (REFUSED_MEMBERS.some((name) => Object.hasOwn(header, name))) return fail("header_not_allowed");
  if (member(header, "alg") !== ALGORITHM) return fail("algorithm");
  if (member(header, "typ") !== HEADER_TYPE) return fail("header_type");
  const keyId = member(header, "kid");
  if (typeof keyId !== "string" || keyId === "") return fail("key_id");
  return succeed(keyId);
}
