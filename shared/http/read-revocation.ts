/** `POST /oauth2/revoke` (RFC 7009): the grant to end, and the client authentication. */
import type { TokenAuthentication } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { isGrantHandle, isGrantId } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest } from "./invalid-request.ts";
import { readForm, singleValue } from "./read-body.ts";
import { readClientAuthentication } from "./read-client-authentication.ts";
import { handleMistake } from "./read-handle.ts";
import { refuseBodyNames } from "./similar-names.ts";

export interface Revocation {
  readonly clientAuthentication: TokenAuthentication | undefined;
  /** A grant handle or a grant id. */
  readonly token: SecretValue;
}

export const REVOCATION_PARAMETERS = [
  "token",
  "client_id",
  "client_assertion",
  "client_assertion_type",
  "client_secret",
];

/** Accepts a handle (`gte_…`) or the id of a grant. This service cannot revoke a token of Entra, so it refuses one. */
export async function readRevocation(request: IncomingRequest): Promise<Result<Revocation, Failure>> {
  const query = refuseBodyNames(request, REVOCATION_PARAMETERS);
  if (!query.ok) return query;
  const form = await readForm(request, []);
  if (!form.ok) return form;
  const clientAuthentication = readClientAuthentication(request, form.value);
  if (!clientAuthentication.ok) return clientAuthentication;
  const token = singleValue(form.value, "token")?.trim();
  if (token === undefined) return invalidRequest("parameter_missing", "token");
  if (!(isGrantHandle(token) || isGrantId(token))) return notAGrant(token);
  return succeed({ clientAuthentication: clientAuthentication.value, token: new SecretValue(token) });
}

// ------------------------------------------------------------------------------------------------------------------

/**
 * RFC 7009 section 2.2 answers 200 for an unknown token. A truncated handle or an unresolved expression is not unknown:
 * the grant that the caller means continues to exist.
 */
function notAGrant(token: string): Result<never, Failure> {
  const looksLike = handleMistake(token);
  return looksLike === undefined
    ? fail({ kind: "token_type_unsupported" })
    : invalidRequest("handle_malformed", "token", { looksLike });
}
