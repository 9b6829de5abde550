/** `POST /oauth2/revoke` (RFC 7009): which grant is to end, and who says so. */
import type { ClientAuthentication } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { isGrantId } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { readForm } from "./read-body.ts";
import { readClientAuthentication } from "./read-client-authentication.ts";

export interface Revocation {
  readonly clientAuthentication: Exclude<ClientAuthentication, { method: "subject_itself" }> | undefined;
  /** A handle, or the id of a grant. */
  readonly token: SecretValue;
}

/** Accepts a handle (`gte_…`) or the id of a grant. This service cannot revoke a token of Entra, so it refuses one. */
export async function readRevocation(request: IncomingRequest): Promise<Result<Revocation, Failure>> {
  const form = await readForm(request, []);
  if (!form.ok) return form;
  const clientAuthentication = readClientAuthentication(request, form.value);
  if (!clientAuthentication.ok) return clientAuthentication;
  const token = form.value.get("token")?.[0];
  if (token === undefined) return fail({ kind: "request_invalid", problem: "parameter_missing", parameter: "token" });
  if (!(token.startsWith("gte_") || isGrantId(token))) return fail({ kind: "token_type_unsupported" });
  return succeed({ clientAuthentication: clientAuthentication.value, token: new SecretValue(token) });
}
