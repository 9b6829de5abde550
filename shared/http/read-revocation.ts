/** `POST /oauth2/revoke` (RFC 7009): which grant is to end, and who says so. */
import type { Proof } from "../exchange-request.ts";
import type { Failure } from "../failure.ts";
import { fail, type Result, succeed } from "../result.ts";
import { SecretValue } from "../secret-value.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { readForm } from "./read-body.ts";
import { readProof } from "./read-proof.ts";

export interface Revocation {
  readonly proof: Exclude<Proof, { method: "subject_itself" }> | undefined;
  /** A handle, or the id of a grant. */
  readonly token: SecretValue;
}

/** A handle (`gte_…`) or an id (64 hex digits). Entra's tokens cannot be revoked here, and it would be wrong to say so. */
const REVOCABLE = /^(gte_.*|[0-9a-f]{64})$/;

export async function readRevocation(request: IncomingRequest): Promise<Result<Revocation, Failure>> {
  const form = await readForm(request, []);
  if (!form.ok) {
    return form;
  }
  const proof = readProof(request, form.value);
  if (!proof.ok) {
    return proof;
  }
  const token = form.value.get("token")?.[0];
  if (token === undefined) {
    return fail({ kind: "request_invalid", problem: "parameter_missing", parameter: "token" });
  }
  if (!REVOCABLE.test(token)) {
    return fail({ kind: "token_type_unsupported" });
  }
  return succeed({ proof: proof.value, token: new SecretValue(token) });
}
