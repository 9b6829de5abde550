/**
 * Reads an answer of Entra's token endpoint that was not a usable token. Pure. Entra's own words stay here: they may
 * hold user names, addresses and text that a caller wrote, so only codes and identifiers go on.
 */

import type { EntraEvidence, EntraVerdict, Failure } from "../core/failure.ts";
import { isGuid } from "../core/guid.ts";
import { CLAIMS_MAX_BYTES } from "../core/limits.ts";
import type { OutboundResponse } from "../outbound/outbound.ts";
import { classOfCodes } from "./aadsts.ts";

/** What the failed request was, so that a failure can say so. */
export interface FailedRequest {
  readonly scopes: readonly string[];
  /** A stored refresh token that no longer works is a dead grant; an assertion is not. */
  readonly grantKind: "assertion" | "refresh_token" | "code" | "application";
  readonly presentedAs?: "subject_token" | "assertion";
}

/** Wait when Entra throttles without saying how long, seconds. MSAL waits the same. */
const DEFAULT_RETRY_AFTER_SECONDS = 60;
/** Entra never asks for more than an hour. */
const RETRY_AFTER_MAX_SECONDS = 3_600;

/** An HTTP date begins with the day's name. `Date.parse` takes nearly anything: "1.5" would be a day in 2001, long over. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? /;

/** Turns an answer other than a token into a failure. `nowMs` is for a `Retry-After` given as a date. */
export function readRefusal(answer: OutboundResponse, request: FailedRequest, nowMs: number): Failure {
  const body = parseObject(answer.body);
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
  return {
    kind: "entra_refused",
    verdict: inItsFlow(judge(body["error"], evidence, codeClass, request), request),
    evidence,
    scopes: request.scopes,
    ...(request.presentedAs === undefined ? {} : { presentedAs: request.presentedAs }),
  };
}

/** `Retry-After` in seconds, from a number or an HTTP date (RFC 9110 section 10.2.3), capped; undefined if unreadable. */
export function retryAfterSeconds(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? "";
  const date = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : (date - nowMs) / 1_000;
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.ceil(seconds), 0), RETRY_AFTER_MAX_SECONDS) : undefined;
}

/** A verdict says who can do something about it; not every flow has that somebody. */
function inItsFlow(verdict: EntraVerdict, { grantKind }: FailedRequest): EntraVerdict {
  if (verdict === "assertion_refused") {
    // In every other request the only assertion is the one that proves who we are.
    return grantKind === "assertion" ? verdict : "credential_refused";
  }
  // Nobody signs in for an application, and its token hangs on no grant that could be made again.
  const needsPerson = verdict === "interaction_required" || verdict === "grant_dead";
  return needsPerson && grantKind === "application" ? "denied" : verdict;
}

function judge(
  error: string,
  evidence: EntraEvidence,
  codeClass: ReturnType<typeof classOfCodes>,
  request: FailedRequest,
): EntraVerdict {
  // Claims outrank the number: whatever it is, the user can answer them.
  if (evidence.claims !== undefined) return "interaction_required";
  if (codeClass !== undefined && codeClass !== "throttled" && codeClass !== "unavailable") return codeClass;
  return bySuberror(evidence.suberror, error) ?? byError(error, request);
}

/** Errors by which Entra says that somebody can do something. */
const MENDABLE = ["interaction_required", "login_required", "consent_required"];

function bySuberror(suberror: string | undefined, error: string): EntraVerdict | undefined {
  switch (suberror) {
    case "basic_action":
    case "additional_action":
    case "user_password_expired":
      return "interaction_required";
    case "consent_required":
      return "consent_required";
    case "message_only":
      // There is only a message to show; unless the error itself says that the person can act.
      return MENDABLE.includes(error) ? undefined : "denied";
    case "bad_token":
    case "token_expired":
      return "grant_dead";
    default:
      return undefined;
  }
}

function byError(error: string, request: FailedRequest): EntraVerdict {
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
    suberror: word(body?.["suberror"]),
    claims: readClaims(body?.["claims"]),
    traceId: guid(body?.["trace_id"]) ?? guid(answer.headers["x-ms-request-id"]),
    correlationId: guid(body?.["correlation_id"]) ?? guid(answer.headers["client-request-id"]),
  };
}

function readCodes(value: unknown): number[] {
  return Array.isArray(value) ? value.filter((code): code is number => Number.isSafeInteger(code)).slice(0, 8) : [];
}

/** Claims go to the caller as they are, so they must be what they claim to be: a claims request of bounded size. */
function readClaims(value: unknown): string | undefined {
  if (typeof value !== "string" || Buffer.byteLength(value) > CLAIMS_MAX_BYTES) return undefined;
  const members = Object.keys(parseObject(value) ?? {});
  return members.length > 0 && members.every((name) => CLAIMS_MEMBERS.includes(name)) ? value : undefined;
}

/** OpenID Connect Core section 5.5; Entra knows these two, and callers may send us no others back. */
const CLAIMS_MEMBERS = ["access_token", "id_token"];

function word(value: unknown): string | undefined {
  return typeof value === "string" && /^[a-z_]{1,64}$/.test(value) ? value : undefined;
}

function guid(value: unknown): string | undefined {
  return isGuid(value) ? value : undefined;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
