/**
 * Decides whether a token is a user's or an application's. Entra does not mark either reliably: an app-only token may
 * lack `idtyp`, `roles` and `appid`. So each kind has rules that exclude the other (RFC 8725 section 3.12), `idtyp` can
 * refuse a token but never admits one, and a token that is not clearly of one kind is refused. Pure: no I/O.
 */

import { APPLICATION_ROLE, USER_SCOPE } from "../core/caller-permissions.ts";
import { type JsonObject, member } from "../core/json-object.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { TokenRefusal } from "../core/token-refusal.ts";
import { isAgentUser, isAutonomous } from "./agent.ts";
import type { CallerRules } from "./caller-rules.ts";

export type CallerKind =
  | { readonly kind: "user"; readonly scopes: readonly string[] }
  | { readonly kind: "application" };

/** A scope list of RFC 6749 section 3.3: scope tokens of these characters, separated by one space. */
const SCOPE_LIST = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

export function readCallerKind(
  payload: JsonObject,
  roles: readonly string[],
  rules: CallerRules,
): Result<CallerKind, TokenRefusal> {
  const isUser = Object.hasOwn(payload, "scp") && !(isUnscoped(payload) && isAutonomous(payload));
  return isUser ? readUser(payload, rules) : readApplication(payload, roles);
}

/** `roles` as a list; absent: an empty list. A string is refused, because its `includes` is a substring search. */
export function readRoles(payload: JsonObject): Result<readonly string[], TokenRefusal> {
  if (!Object.hasOwn(payload, "roles")) return succeed([]);
  const roles = member(payload, "roles");
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === "string")) return fail("claim_type");
  return succeed(roles);
}

function readUser(payload: JsonObject, rules: CallerRules): Result<CallerKind, TokenRefusal> {
  if (!identityTypeAllows(payload, "user")) return fail("kind_unclear");
  const scp = member(payload, "scp");
  if (typeof scp !== "string") return fail("claim_type");
  if (scp === "") return fail("scope_missing");
  if (!SCOPE_LIST.test(scp)) return fail("claim_type");
  const scopes = scp.split(" ");
  if (!scopes.includes(USER_SCOPE)) return fail("scope_missing");
  if (isAgentUser(payload)) return fail("agent_user");
  if (!rules.allowGuests && isGuestToken(payload, rules)) return fail("guest");
  return succeed({ kind: "user", scopes });
}

function readApplication(payload: JsonObject, roles: readonly string[]): Result<CallerKind, TokenRefusal> {
  if (!identityTypeAllows(payload, "app")) return fail("kind_unclear");
  // The subject of a service principal is its object id. A user's subject is a pseudonym per application, never the object id.
  if (member(payload, "oid") !== member(payload, "sub")) return fail("kind_unclear");
  return roles.includes(APPLICATION_ROLE) ? succeed({ kind: "application" }) : fail("role_missing");
}

/** The token of an agent that acts for itself may have a `scp` without scopes (E-114). */
function isUnscoped(payload: JsonObject): boolean {
  const scp = member(payload, "scp");
  return scp === "" || scp === "/";
}

/** `idtyp` is an optional claim. Its absence allows both kinds; every value but the expected one excludes the kind. */
function identityTypeAllows(payload: JsonObject, expected: "user" | "app"): boolean {
  return !Object.hasOwn(payload, "idtyp") || member(payload, "idtyp") === expected;
}

/**
 * Whether the user is a guest: `acct` (optional claim) says so, or `idp` names another identity provider than this
 * tenant. Every value of `acct` but "member" counts as guest.
 */
function isGuestToken(payload: JsonObject, rules: CallerRules): boolean {
  const account = member(payload, "acct");
  if (account !== undefined && account !== 0 && account !== "0") return true;
  const provider = member(payload, "idp");
  return provider !== undefined && provider !== rules.v2Issuer && provider !== rules.v1Issuer;
}
