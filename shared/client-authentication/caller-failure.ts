/**
 * What a refusal of Entra means for the client whose credential the service presented. Entra checks the client before
 * everything else, and the credential is the only part of the request that the client chose. So every refusal is the
 * client's, except for numbers about the parts that the service chose. Pure.
 */
import type { EntraEvidence, Failure } from "../core/failure.ts";
import type { OwnCredential } from "./listed-methods.ts";

/**
 * The service or its registration is wrong: the resource does not exist (500011), or the scope, the grant type, the tenant
 * or the endpoint is not valid. A missing field (90014, 900144) is not among them: it may be one of the assertion.
 */
const OWN_FAULTS: readonly number[] = [500011, 70003, 70011, 1002012, 900023, 900561, 90002, 9001023];
/** The service's registration requires an assigned app role, and the client has none. */
const ROLE_MISSING = 501051;

export interface PresentedCredential {
  readonly method: OwnCredential;
  /** Entra accepted the same credential before. */
  readonly known: boolean;
}

export function callerFailure(failure: Failure, presented: PresentedCredential): Failure {
  switch (failure.kind) {
    case "entra_refused": {
      const { codes } = failure.evidence;
      if (codes.includes(ROLE_MISSING)) return { kind: "caller_refused", reason: "role_missing" };
      const isOwn = codes.length > 0 && codes.every((code) => OWN_FAULTS.includes(code));
      return isOwn ? failure : refused(presented, failure.evidence);
    }
    case "dependency_failed":
      // With evidence, it is a 4xx, which answers this request, but not in Entra's form.
      return failure.problem === "answer_invalid" && failure.evidence !== undefined && !presented.known
        ? refused(presented, failure.evidence)
        : failure;
    case "misconfigured":
      // MSAL cannot send the credential.
      return refused(presented);
    default:
      return failure;
  }
}

/** Entra decided against the client, so the credential is forgotten. An outage or throttling decides nothing. */
export function isRefusal(failure: Failure): boolean {
  return failure.kind === "client_refused" || failure.kind === "caller_refused";
}

// ------------------------------------------------------------------------------------------------------------------

function refused({ method }: PresentedCredential, evidence?: EntraEvidence): Failure {
  return {
    kind: "client_refused",
    method: method === "entra_secret" ? "client_secret" : "client_assertion",
    reason: "entra",
    ...(evidence === undefined ? {} : { evidence }),
  };
}
