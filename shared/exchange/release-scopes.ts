/** The scopes with which a token may leave the service, and whether a token of an earlier request has those of this one. */
import type { ExchangeRequest } from "../core/exchange-request.ts";
import type { ScopeSurplus } from "../core/failure.ts";
import { type Result, succeed } from "../core/result.ts";
import type { Subject } from "../flows/flows.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import { release } from "../policy/release.ts";

/**
 * The relay's token never leaves the service, and its caller asks for each request itself, so scopes outside the list harm
 * no one. Behind a grant no one asks: it acts with no more than its person approved.
 */
export function releaseScopes(
  request: Pick<ExchangeRequest, "relay">,
  subject: Subject,
  entitlement: Entitlement,
  returned: readonly string[],
): Result<readonly string[], ScopeSurplus> {
  return staysInside(request, subject) ? succeed(returned) : release(entitlement, returned, entitlement.entry);
}

/**
 * True if Entra returned every requested scope and this caller may have the token. Without the second condition, a token
 * with a surplus would be refused although Entra may now return one without it.
 */
export function coversRequest(
  request: Pick<ExchangeRequest, "relay">,
  subject: Subject,
  entitlement: Entitlement,
  returned: readonly string[],
): boolean {
  const { acceptSurplus, entry, scopes } = entitlement;
  const allowance = { ...entitlement, acceptSurplus: acceptSurplus || staysInside(request, subject) };
  const released = release(allowance, returned, entry);
  return released.ok && scopes.every((scope) => released.value.includes(scope));
}

// ---------------------------------------------------------------------------------------------------------------

function staysInside({ relay }: Pick<ExchangeRequest, "relay">, { source }: Subject): boolean {
  return relay !== undefined && source !== "grant";
}
