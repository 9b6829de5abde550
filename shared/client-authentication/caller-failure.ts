/**
 * What a refusal of Entra means for the client whose credential the service presented. Entra checks the client before
 * everything else, and the credential is the only part of the request that the client chose. So every refusal is the
 * client's, except for numbers about the parts that the service chose. Pure.
 */
import type { Failure } from "../core/failure.ts";
import type { OwnCredential } from "./listed-methods.ts";

/**
 * The service or its registration is wrong: the resource does not exist (500011), or the scope, the grant type or another
 * parameter is not valid.
 */
const OWN_FAULTS: readonly number[] = [500011, 70003, 70011, 1002012, 900144, 900023, 900561, 90002, 90014, 9001023];
/** The service's registration requires an assigned app role, and the client has none. */
const ROLE_MISSING = 501051;

export function callerFailure(failure: Failure, method: OwnCredential): Failure {
  if (failure.kind !== "entra_refused") return failure;
  const { codes } = failure.evidence;
  if (codes.includes(ROLE_MISSING)) return { kind: "caller_refused", reason: "role_missing" };
  if (codes.some((code) => OWN_FAULTS.includes(code))) return failure;
  return {
    kind: "client_refused",
    method: method === "entra_secret" ? "client_secret" : "client_assertion",
    reason: "entra",
    evidence: failure.evidence,
  };
}

/** Entra decided against the client, so the credential is forgotten. An outage or throttling decides nothing. */
export function isRefusal(failure: Failure): boolean {
  return failure.kind === "client_refused" || failure.kind === "caller_refused";
}
