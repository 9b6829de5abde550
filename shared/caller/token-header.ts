/**
 * The check of a token's header. Entra sends `typ`, `alg`, `kid` and, in v1 tokens, `x5t` (which equals `kid`). The
 * header is not trusted before the signature is checked, so it cannot choose how the token is verified: the algorithm is
 * fixed (RFC 8725 section 3.1), and `kid` only selects one of Entra's keys (section 3.10). Pure: no I/O.
 */

import { type JsonObject, member } from "../core/json-object.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { TokenRefusal } from "../core/token-refusal.ts";

/** The only algorithm that Entra signs with. */
export const ALGORITHM = "RS256";

/** Entra writes exactly `JWT`, never `at+jwt` (RFC 9068). */
const HEADER_TYPE = "JWT";

/**
 * Members that name a key of the sender's choice (`jwk`, `jku`, `x5u`, `x5c`), change how the token is read (`crit`,
 * `b64`, `cty`), or belong to encryption (`enc`, `zip`, `epk`, `p2c`, `p2s`). A token of Entra never contains one of them.
 */
const REFUSED_MEMBERS = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "cty", "enc", "zip", "epk", "p2c", "p2s"] as const;

/** Marks a token for Microsoft Graph, whose signature covers other bytes than the token (E-38). */
const GRAPH_MEMBER = "nonce";

/** The `kid`, a non-empty string. Whether Entra has a key with this id is checked later. */
export function readKeyId(header: JsonObject): Result<string, TokenRefusal> {
  if (REFUSED_MEMBERS.some((name) => Object.hasOwn(header, name))) return fail("header_not_allowed");
  if (Object.hasOwn(header, GRAPH_MEMBER)) return fail("graph_token");
  if (member(header, "alg") !== ALGORITHM) return fail("algorithm");
  if (member(header, "typ") !== HEADER_TYPE) return fail("header_type");
  const keyId = member(header, "kid");
  if (typeof keyId !== "string" || keyId === "") return fail("key_id");
  return succeed(keyId);
}
