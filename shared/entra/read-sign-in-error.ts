/**
 * Reads the error with which Entra redirects a browser to the callback (RFC 6749 section 4.1.2.1). Pure. The user can
 * forge it, so the result contains only known words and numbers, and it only selects the error that the service returns.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#error-codes-for-authorization-endpoint-errors
 */
import type { EntraEvidence, EntraVerdict, Failure, OpenIdError } from "../core/failure.ts";
import { classOfCodes } from "./aadsts.ts";

export interface SignInError {
  readonly error: string;
  readonly description: string | undefined;
  readonly subcode: string | undefined;
}

/** A description begins with `AADSTS65004: User declined to consent …` and contains `Trace ID: <guid>`. */
const NUMBER = /^AADSTS(\d{4,9})\b/;
const TRACE = /Trace ID: ([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/i;
const WORD = /^[a-z_]{1,64}$/;

export function readSignInError({ error, description = "", subcode }: SignInError, scopes: readonly string[]): Failure {
  const number = NUMBER.exec(description)?.[1];
  const evidence: EntraEvidence = {
    codes: number === undefined ? [] : [Number(number)],
    suberror: subcode !== undefined && WORD.test(subcode) ? subcode : undefined,
    claims: undefined,
    traceId: TRACE.exec(description)?.[1]?.toLowerCase(),
    correlationId: undefined,
  };
  if (error === "temporarily_unavailable" || error === "server_error") {
    return { kind: "dependency_failed", dependency: "entra", problem: "unavailable", evidence };
  }
  const refused = {
    kind: "entra_refused",
    verdict: verdictOfSignInError(error, evidence.codes),
    evidence,
    scopes,
  } as const;
  return isOpenIdError(error) ? { ...refused, openIdError: error } : refused;
}

// ---------------------------------------------------------------------------------------------------------------

function isOpenIdError(error: string): error is OpenIdError {
  return error === "login_required" || error === "account_selection_required";
}

function verdictOfSignInError(error: string, codes: readonly number[]): EntraVerdict {
  switch (error) {
    case "access_denied":
      return "denied";
    case "consent_required":
      return "consent_required";
    case "interaction_required":
    case "login_required":
    case "account_selection_required":
      return "interaction_required";
    default:
      return classOfCodes(codes) === "denied" ? "denied" : "misconfigured";
  }
}
