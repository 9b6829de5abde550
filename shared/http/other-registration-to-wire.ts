/**
 * The refusal of a caller whose token is for another registration of this service than its policy entry. The caller has
 * an entry, so it reads which scope to request: Entra exchanges a token only for the registration that it was issued for.
 */
import { callerScopes } from "../core/caller-permissions.ts";
import type { PolicyRefused } from "../core/failure.ts";
import type { Wire, WireOptions } from "./wire.ts";

/** RFC 6750 section 3.1: the token is not the one that this caller needs, so the status is 401 with a challenge. */
export function otherRegistrationToWire(refused: PolicyRefused, { dialect, service }: WireOptions): Wire {
  const scope = scopeToRequest(refused, service);
  const advice = scope === undefined ? "Get a token for the right one." : `Get a token for ${scope}.`;
  return {
    status: 401,
    error: dialect === "oauth" ? "invalid_client" : "invalid_token",
    code: "token_for_other_registration",
    description: `The token is for another app registration of this service than this caller's policy entry (claim aud). ${advice}`,
    action: "new_caller_token",
    challenge: { error: "invalid_token", ...(scope === undefined ? {} : { scope }) },
  };
}

// ------------------------------------------------------------------------------------------------------------------

function scopeToRequest({ registration, callerKind }: PolicyRefused, service: WireOptions["service"]) {
  const found = service?.registrations.find(({ name }) => name === registration);
  if (found === undefined) return undefined;
  const { user, application } = callerScopes(found.appIdUri);
  return callerKind === "application" ? application : user;
}
