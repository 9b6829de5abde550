/** What the audit trail says of a failure beyond its stable code: the finer reason and Entra's identifiers. Pure. */
import type { EntraEvidence, Failure, PolicyRefused } from "../core/failure.ts";
import type { AuditFacts, AuditOutcome } from "./audit-event.ts";

export interface FailureFacts extends Partial<AuditFacts> {
  readonly reason?: string;
}

export function describeFailure(failure: Failure): FailureFacts {
  const found = "evidence" in failure ? evidenceFacts(failure.evidence) : {};
  switch (failure.kind) {
    case "caller_refused":
    case "subject_refused":
    case "code_refused":
      return { reason: failure.reason };
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
      return { ...found, reason: failure.evidence.suberror ?? failure.verdict };
    case "request_invalid":
      return failure.parameter === undefined ? {} : { reason: failure.parameter };
    default:
      return found;
  }
}

function policyFacts({ reason, entry, api, scopes }: PolicyRefused): FailureFacts {
  return {
    reason,
    ...(entry === undefined ? {} : { policyEntry: entry }),
    ...(api === undefined ? {} : { api }),
    ...(scopes === undefined ? {} : { scopesAsked: scopes }),
  };
}

/** Refused: the caller or its user can mend it. Failed: we, or something that we need. */
export function outcomeOf(failure: Failure, status: number): AuditOutcome {
  return status >= 500 || failure.kind === "throttled" ? "failed" : "refused";
}

function evidenceFacts(evidence: EntraEvidence | undefined): FailureFacts {
  return {
    ...(evidence?.traceId === undefined ? {} : { entraTraceId: evidence.traceId }),
    ...(evidence === undefined || evidence.codes.length === 0 ? {} : { aadsts: evidence.codes }),
  };
}
