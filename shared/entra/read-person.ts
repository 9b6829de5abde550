/**
 * Reads the user who signed in from the claims of the ID token. Pure. Names can change, so no decision depends on them: a
 * page shows them to the same user.
 */
import type { Person } from "./entra-token.ts";

/** Longer names are truncated to fit on the page. */
const NAME_MAX_CHARACTERS = 200;

/** Undefined without an `oid` claim. */
export function readPerson(claims: Readonly<Record<string, unknown>>): Person | undefined {
  const { oid, name, preferred_username: username } = claims;
  if (typeof oid !== "string") return undefined;
  return {
    name: displayText(name) ?? displayText(username) ?? oid,
    username: displayText(username) ?? "",
    guest: isGuestAccount(claims),
  };
}

/**
 * True for an account from another tenant or provider, by the same rule as for a caller's token: the optional claim
 * `acct` is present and not 0, or `idp` names a provider other than this tenant.
 */
export function isGuestAccount({ acct, idp, iss, tid }: Readonly<Record<string, unknown>>): boolean {
  if (acct !== undefined && acct !== 0 && acct !== "0") return true;
  // This tenant has two names as a provider: the issuer of v2 tokens, and the issuer of v1 tokens, which ends in its id.
  return idp !== undefined && idp !== iss && !(typeof idp === "string" && idp.endsWith(`/${String(tid)}/`));
}

// ---------------------------------------------------------------------------------------------------------------

function displayText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, NAME_MAX_CHARACTERS) : undefined;
}
