import type { Caller } from "./caller.ts";

/**
 * Whether the caller has an app role that concerns the whole deployment (`Policy.Explain`, `Grant.Create`). Only the
 * default registration assigns such roles: the owner of another registration can assign the roles of that one.
 */
export function hasOperatorRole(
  { registration, roles }: Caller,
  role: string,
  registrations: { readonly default: { readonly clientId: string } },
): boolean {
  return registration === registrations.default.clientId && roles.includes(role);
}
