/**
 * Reads a response of Entra's token endpoint that contains no usable token. Pure. Only codes and identifiers leave this
 * file: Entra's error description may contain user names, addresses and text that a caller wrote.
 */

import type { EntraEvidence, EntraVerdict, Failure } from "../core/failure.ts";
import { isGuid } from "../core/guid.ts";
import { isJsonObject, type JsonObject } from "../core/json-object.ts";
import { parseJson } from "../core/json-text.ts";
import { CLAIMS_MAX_BYTES } from "../core/limits.ts";
import type { OutboundResponse } from "../outbound/outbound.ts";
import { classOfCodes } from "./aadsts.ts";

/** The parts of the failed request that the failure depends on. */
export interface FailedRequest {
  readonly scopes: readonly string[];
  /** `invalid_grant` ends a grant only for a refresh token or a code, not for an assertion. */
  readonly grantKind: "assertion" | "refresh_token" | "code" | "application";
  readonly presentedAs?: "subject_token" | "assertion";
}

/** The wait if Entra throttles without `Retry-After`. MSAL uses the same default. */
const DEFAULT_RETRY_AFTER_SECONDS = 60;
/** Without any wait, a client would repeat the request in a loop. */
const RETRY_AFTER_MIN_SECONDS = 1;
/** Entra never requests a wait of more than an hour. */
const RETRY_AFTER_MAX_SECONDS = 3_600;

/** An HTTP date begins with the name of the day. `Date.parse` accepts too much: it reads "1.5" as a day in 2001. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? /;

/** Entra's numbers for a fault of Entra that passes within seconds. */
const PASSING_FAULTS: readonly number[] = [90006, 90033, 90090];

/** Whether the same request may succeed a second later. A 4xx is an answer to this request, except for those numbers. */
export function isPassingFault(answer: OutboundResponse): boolean {
  if (answer.status >= 500) return true;
  const codes = readCodes(parseJsonObject(answer.body)?.["error_codes"]);
  return answer.status !== 429 && codes.some((code) => PASSING_FAULTS.includes(code));
}

/** Converts a response without a token to a failure. `nowMs` serves to read a `Retry-After` date. */
export function readRefusal(answer: OutboundResponse, request: FailedRequest, nowMs: number): Failure {
  const body = parseJsonObject(answer.body);
  const evidence = readEvidence(body, answer);
  const codeClass = classOfCodes(evidence.codes);
  if (answer.status === 429 || codeClass === "throttled") {
    const wait = retryAfterSeconds(answer.headers["retry-after"], nowMs) ?? DEFAULT_RETRY_AFTER_SECONDS;
    return { kind: "throttled", retryAfterSeconds: wait, evidence };
  }
  if (answer.status >= 500 || codeClass === "unavailable" || isTemporary(body)) {
    const wait = retryAfterSeconds(answer.headers["retry-after"], nowMs);
    const retry = wait === undefined ? {} : { retryAfterSeconds: wait };
    return { kind: "dependency_failed", dependency: "entra", problem: "unavailable", ...retry, evidence };
  }
  if (body === undefined || typeof body["error"] !== "string") {
    return { kind: "dependency_failed", dependency: "entra", problem: "answer_invalid", evidence };
  }
  const verdict = adaptToFlow(verdictOfTokenError(body["error"], evidence, codeClass, request), request);
  // The page of a sign-in asks for missing consent, so signing in again resolves it.
  const bySignIn = request.grantKind === "code" && verdict === "consent_required";
  return {
    kind: "entra_refused",
    verdict,
    evidence,
    scopes: request.scopes,
    ...(bySignIn ? { signIn: { url: undefined } } : {}),
    ...(request.presentedAs === undefined ? {} : { presentedAs: request.presentedAs }),
  };
}

/**
 * `Retry-After` (RFC 9110 section 10.2.3) in seconds, from one second to one hour; undefined if it is neither number nor
 * HTTP date.
 */
export function retryAfterSeconds(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? "";
  const date = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  const seconds = /^\d+$/.test(text) ? Number(text) : (date - nowMs) / 1_000;
  if (Number.isNaN(seconds)) return undefined;
  return Math.min(Math.max(Math.ceil(seconds), RETRY_AFTER_MIN_SECONDS), RETRY_AFTER_MAX_SECONDS);
}

// ---------------------------------------------------------------------------------------------------------------

/** Replaces a verdict that the flow cannot have. */
function adaptToFlow(verdict: EntraVerdict, { grantKind }: FailedRequest): EntraVerdict {
  switch (verdict) {
    case "assertion_refused":
      // In all other flows, the only assertion is the client authentication of the service.
      return grantKind === "assertion" ? verdict : "credential_refused";
    case "grant_dead":
      return ENDED[grantKind];
    case "interaction_required":
      // No user can sign in for an application.
      return grantKind === "application" ? "denied" : verdict;
    default:
      return verdict;
  }
}

/** What ended with the user's session. Only a refresh token is a grant. */
const ENDED: Readonly<Record<FailedRequest["grantKind"], EntraVerdict>> = {
  refresh_token: "grant_dead",
  code: "code_refused",
  // The user signs in again at the client that obtained the assertion.
  assertion: "interaction_required",
  application: "denied",
};

function verdictOfTokenError(
  error: string,
  evidence: EntraEvidence,
  codeClass: ReturnType<typeof classOfCodes>,
  request: FailedRequest,
): EntraVerdict {
  // Claims take precedence over the suberror, and the suberror over the number: they say what the user can do.
  if (evidence.claims !== undefined) return "interaction_required";
  const bySuberror = verdictOfSuberror(evidence.suberror, error);
  if (bySuberror !== undefined) return bySuberror;
  return codeClass !== undefined && codeClass !== "throttled" && codeClass !== "unavailable"
    ? codeClass
    : verdictOfError(error, request);
}

/** Errors that the user or an administrator can resolve. */
const RESOLVABLE = ["interaction_required", "login_required", "consent_required"];

function verdictOfSuberror(suberror: string | undefined, error: string): EntraVerdict | undefined {
  switch (suberror) {
    case "basic_action":
    case "additional_action":
    case "user_password_expired":
      return "interaction_required";
    case "consent_required":
      return "consent_required";
    case "message_only":
      // Entra only has a message for the user, unless `error` says that the user can act.
      return RESOLVABLE.includes(error) ? undefined : "denied";
    case "bad_token":
    case "token_expired":
      return "grant_dead";
    default:
      return undefined;
  }
}

function verdictOfError(error: string, request: FailedRequest): EntraVerdict {
  switch (error) {
    case "interaction_required":
    case "login_required":
      return "interaction_required";
    case "consent_required":
      return "consent_required";
    case "invalid_grant":
      return request.grantKind === "refresh_token" || request.grantKind === "code" ? "grant_dead" : "denied";
    case "access_denied":
      return "denied";
    default:
      return "misconfigured";
  }
}

function isTemporary(body: Record<string, unknown> | undefined): boolean {
  return body?.["error"] === "temporarily_unavailable" || body?.["error"] === "server_error";
}

function readEvidence(body: Record<string, unknown> | undefined, answer: OutboundResponse): EntraEvidence {
  return {
    codes: readCodes(body?.["error_codes"]),
    suberror: toErrorWord(body?.["suberror"]),
    claims: readClaimsRequest(body?.["claims"]),
    traceId: toGuid(body?.["trace_id"]) ?? toGuid(answer.headers["x-ms-request-id"]),
    correlationId: toGuid(body?.["correlation_id"]) ?? toGuid(answer.headers["client-request-id"]),
  };
}

function readCodes(value: unknown): number[] {
  return Array.isArray(value) ? value.filter((code): code is number => Number.isSafeInteger(code)).slice(0, 8) : [];
}

/** The caller receives the claims unchanged, so the service checks that they are a claims request of bounded size. */
function readClaimsRequest(value: unknown): string | undefined {
  if (typeof value !== "string" || Buffer.byteLength(value) > CLAIMS_MAX_BYTES) return undefined;
  const members = Object.keys(parseJsonObject(value) ?? {});
  return members.length > 0 && members.every((name) => CLAIMS_MEMBERS.includes(name)) ? value : undefined;
}

/** OpenID Connect Core section 5.5. Entra uses these two, and the service accepts no others from callers. */
const CLAIMS_MEMBERS = ["access_token", "id_token"];

function toErrorWord(value: unknown): string | undefined {
  return typeof value === "string" && /^[a-z_]{1,64}$/.test(value) ? value : undefined;
}

function toGuid(value: unknown): string | undefined {
  return isGuid(value) ? value : undefined;
}

function parseJsonObject(text: string): JsonObject | undefined {
  const value = parseJson(text);
  return isJsonObject(value) ? value : undefined;
}
