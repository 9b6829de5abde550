/** `POST /oauth2/revoke` (RFC 7009): the grant to end, and the client authentication. */
import type { TokenAuthentication } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { isGrantId } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest } from "./invalid-request.ts";
import { readForm, singleValue } from "./read-body.ts";
import { readClientAuthentication } from "./read-client-authentication.ts";

export interface Revocation {
  readonly clientAuthentication: TokenAuthentication | undefined;
  /** A grant handle or a grant id. */
  readonly token: SecretValue;
}

/** Accepts a handle (`gte_…`) or the id of a grant. This service cannot revoke a token of Entra, so it refuses one. */
export async function readRevocation(request: IncomingRequest): Promise<Result<Revocation, Failure>> {
  const form = await readForm(request, []);
  if (!form.ok) return form;
  const clientAuthentication = readClientAuthentication(request, form.value);
  if (!clientAuthentication.ok) return clientAuthentication;
  const token = singleValue(form.value, "token");
  if (token === undefined) return invalidRequest("parameter_missing", "token");
  if (!(/^gte_.*$/.test(token) || isGrantId(token))) return fail({ kind: "token_type_unsupported" });
  return succeed({ clientAuthentication: clientAuthentication.value, token: new SecretValue(token) });
}
