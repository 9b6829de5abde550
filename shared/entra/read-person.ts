/**
 * Who signed in, from the claims of the id token. Pure. The names are for a page that the same person looks at; they
 * can change, so nothing is decided by them.
 */
import type { Person } from "./entra-token.ts";

/** Longer names are cut: a page has its width. */
const NAME_MAX_CHARACTERS = 200;

/** Undefined when the token does not say who it is about. */
export function readPerson(claims: Readonly<Record<string, unknown>>): Person | undefined {
  const { oid, name, preferred_username: username } = claims;
  if (typeof oid !== "string") return undefined;
  return { name: text(name) ?? text(username) ?? oid, username: text(username) ?? "", guest: isGuest(claims) };
}

/** At home in another tenant, as for a caller's token: `acct` (optional claim) says so, or `idp` names another provider than this tenant. */
export function isGuest({ acct, idp, iss, tid }: Readonly<Record<string, unknown>>): boolean {
  if (acct !== undefined && acct !== 0 && acct !== "0") return true;
  // The tenant as a provider has two names: the issuer of this token, and the one of v1 tokens, which ends in the tenant.
  return idp !== undefined && idp !== iss && !(typeof idp === "string" && idp.endsWith(`/${String(tid)}/`));
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, NAME_MAX_CHARACTERS) : undefined;
}
