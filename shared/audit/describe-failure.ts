/** What the audit event contains about a failure in addition to its stable code: a reason and Entra's identifiers. */
import type { EntraEvidence, Failure, PolicyRefused, RequestHint } from "../core/failure.ts";
import type { AuditFacts, AuditOutcome } from "./audit-event.ts";

export interface FailureFacts extends Partial<AuditFacts> {
  readonly reason?: string;
}

export function describeFailure(failure: Failure): FailureFacts {
  const entraFacts = "evidence" in failure ? evidenceFacts(failure.evidence) : {};
  switch (failure.kind) {
    case "caller_refused":
    case "subject_refused":
    case "actor_refused":
    case "code_refused":
      return { reason: failure.reason };
    case "client_refused":
      return { ...entraFacts, reason: failure.reason };
    case "grant_refused":
      return { reason: failure.reason, ...(failure.grantId === undefined ? {} : { grantId: failure.grantId }) };
    case "policy_refused":
      return policyFacts(failure);
    case "scope_surplus":
      return {
        reason: `surplus: ${failure.surplus.join(" ")}`,
        policyEntry: failure.entry,
        ...(failure.api === undefined ? {} : { api: failure.api }),
      };
    case "entra_refused":
      return { ...entraFacts, reason: failure.evidence.suberror ?? failure.verdict };
    case "request_invalid":
      return requestReason(failure);
    default:
      return entraFacts;
  }
}

/**
 * Refused: the caller or its user can correct it, or a stranger can cause it. Failed: the service or a dependency is at
 * fault. The alert about failed exchanges counts only these.
 */
export function outcomeOf(failure: Failure, status: number): AuditOutcome {
  if ("unproved" in failure) return "refused";
  if (failure.kind === "dependency_failed" && NOT_PASSED_ON.includes(failure.problem)) return "refused";
  return status >= 500 || failure.kind === "throttled" ? "failed" : "refused";
}

// ------------------------------------------------------------------------------------------------------------------

/** The API answered, and the caller can ask it in another way; or the caller has too many calls. */
const NOT_PASSED_ON: readonly string[] = ["redirect", "answer_too_large", "busy"];

function requestReason({ parameter, hint }: Extract<Failure, { kind: "request_invalid" }>): FailureFacts {
  const found = hint === undefined ? undefined : detailOf(hint);
  const reason = [parameter, found].filter((text) => text !== undefined).join(": ");
  return reason === "" ? {} : { reason };
}

function detailOf(hint: RequestHint): string | undefined {
  if ("looksLike" in hint) return hint.looksLike;
  if ("target" in hint) return hint.target;
  return "batch" in hint ? hint.batch : undefined;
}

function policyFacts({ reason, entry, registration, api, scopes }: PolicyRefused): FailureFacts {
  return {
    reason,
    ...(entry === undefined ? {} : { policyEntry: entry }),
    ...(registration === undefined ? {} : { registration }),
    ...(api === undefined ? {} : { api }),
    ...(scopes === undefined ? {} : { scopesAsked: scopes }),
  };
}

function evidenceFacts(evidence: EntraEvidence | undefined): FailureFacts {
  return {
    ...(evidence?.traceId === undefined ? {} : { entraTraceId: evidence.traceId }),
    ...(evidence === undefined || evidence.codes.length === 0 ? {} : { aadsts: evidence.codes }),
  };
}
