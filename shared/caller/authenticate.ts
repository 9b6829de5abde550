/**
 * Client authentication (RFC 6749 section 2.3): turns exactly one bearer token or client assertion into a `Caller`, and
 * records that caller in the audit trail. No other function turns a request's authentication into a caller, so an
 * authenticated request cannot be missing from the audit.
 */
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { TokenAuthentication } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import type { RequestTrace } from "../core/request-trace.ts";
import { fail, type Result } from "../core/result.ts";
import type { ValidationFailure } from "../core/token-refusal.ts";
import type { ApplicationCaller, Caller } from "./caller.ts";
import type { CallerValidator } from "./validate-caller.ts";

export interface AuthenticationContext {
  readonly callers: CallerValidator;
  readonly nowSeconds: () => number;
  /** Sent to Entra if the service has to fetch the signing keys for this request. */
  readonly trace?: RequestTrace | undefined;
}

/** The caller that a bearer token or a client assertion identifies. */
export async function authenticate(
  { callers, nowSeconds, trace }: AuthenticationContext,
  authentication: TokenAuthentication | undefined,
  audit: AuditTrail,
): Promise<Result<Caller, Failure>> {
  if (authentication === undefined) return fail({ kind: "caller_missing" });
  const validated = await callers.validate(authentication.token, nowSeconds(), trace);
  if (!validated.ok) return fail(fromCallerFailure(validated.failure));
  if (authentication.method === "client_assertion" && !isApplication(validated.value)) {
    // RFC 7523 section 3.2: a client assertion identifies a client. A user's token identifies a user.
    return fail({ kind: "caller_refused", reason: "not_an_application" });
  }
  recordCaller(validated.value, audit);
  return validated;
}

/** Adds the caller's identifiers to the audit event. */
export function recordCaller(caller: Caller, audit: AuditTrail): void {
  audit.add({
    callerKind: caller.kind,
    callerClientId: caller.clientId,
    callerObjectId: caller.objectId,
    callerUnderstandsChallenge: caller.understandsClaimsChallenge,
    ...(caller.tokenId === undefined ? {} : { callerTokenId: caller.tokenId }),
  });
}

/** A validation failure of the token to exchange. */
export function fromSubjectFailure(failure: ValidationFailure, presentedAs: "subject_token" | "assertion"): Failure {
  return failure.kind === "keys_unavailable"
    ? KEYS_UNAVAILABLE
    : { ...refusalOf(failure), kind: "subject_refused", presentedAs };
}

// ---------------------------------------------------------------------------------------------------------------

const KEYS_UNAVAILABLE: Failure = { kind: "dependency_failed", dependency: "key_set", problem: "unavailable" };

function fromCallerFailure(failure: ValidationFailure): Failure {
  return failure.kind === "keys_unavailable" ? KEYS_UNAVAILABLE : { ...refusalOf(failure), kind: "caller_refused" };
}

function refusalOf({ reason, sentBytes, registration }: Extract<ValidationFailure, { kind: "token_refused" }>) {
  return {
    reason,
    ...(sentBytes === undefined ? {} : { sentBytes }),
    ...(registration === undefined ? {} : { registration }),
  };
}

function isApplication(caller: Caller): caller is ApplicationCaller {
  return caller.kind === "application";
}
