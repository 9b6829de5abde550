/**
 * The one translation of failures: status, OAuth error, stable code, what to do next. Exhaustive, without a default, so
 * that a new failure does not compile until it has a place here. Words are generic; evidence goes to the audit trail.
 */
import type { Failure } from "../core/failure.ts";
import { entraRefusalToWire } from "./entra-refusal-to-wire.ts";
import { policyRefusalToWire } from "./policy-refusal-to-wire.ts";
import { requestProblemToWire } from "./request-problem-to-wire.ts";
import { signInRefusalToWire } from "./sign-in-refusal-to-wire.ts";
import { type Dialect, type EntraCall, evidence, type Wire } from "./wire.ts";

export function failureToWire(failure: Failure, call: EntraCall): Wire {
  const oauth = call.dialect === "oauth";
  switch (failure.kind) {
    case "not_found":
      return bad(404, "invalid_request", "not_found", "There is nothing here.");
    case "method_not_allowed":
      return {
        ...bad(405, "invalid_request", "method_not_allowed", "This method is not allowed."),
        allow: failure.allow,
      };
    case "media_type_unsupported":
      return mediaTypeUnsupported(failure.expected);
    case "request_too_large":
      return bad(413, "invalid_request", "request_too_large", `The body must not exceed ${failure.limitBytes} bytes.`);
    case "request_invalid":
      return requestProblemToWire(failure.problem, failure.parameter);
    case "grant_type_unsupported":
      return unsupportedGrant(failure.asked);
    case "token_type_unsupported":
      return bad(400, "unsupported_token_type", "unsupported_token_type", "Only grants (gte_...) can be revoked here.");
    case "caller_missing":
      return callerMissing(oauth);
    case "caller_refused":
      return callerRefused(oauth);
    case "subject_refused":
      return subjectRefused(call.dialect, failure.presentedAs);
    case "policy_refused":
      return policyRefusalToWire(failure.reason, call.dialect);
    case "scope_surplus":
      return ours("scope_surplus", "The token carries more scopes than this caller may have; it was not released.");
    case "grant_refused":
      return grantRefused(oauth, failure);
    case "code_refused":
      return codeRefused();
    case "sign_in_refused":
      return signInRefusalToWire(failure.reason, call.dialect);
    case "entra_refused":
      return entraRefusalToWire(failure, call);
    case "budget_used_up":
      return waitFor("budget_used_up", "Too many requests of this user that pass by the cache.", failure);
    case "throttled":
      return waitFor("throttled", "Too many requests for now.", failure);
    case "dependency_failed":
      return dependencyFailed(failure);
    case "misconfigured":
      return { ...ours(failure.code, "The service is not configured correctly."), ...evidence(failure.evidence) };
    case "deadline_passed":
      return wait(504, "deadline_passed", "The service did not finish in time.");
    case "internal":
      return ours("internal", "The service failed.");
  }
}

function bad(status: number, error: string, code: string, description: string): Wire {
  return { status, error, code, description, action: "fix_request" };
}

function mediaTypeUnsupported(expected: string): Wire {
  const description = `The body must be ${expected}, UTF-8, uncompressed.`;
  return bad(415, "invalid_request", "media_type_unsupported", description);
}

function ours(code: string, description: string): Wire {
  return { status: 500, error: "server_error", code, description, action: "ask_admin" };
}

function wait(status: number, code: string, description: string): Wire {
  return { status, error: "temporarily_unavailable", code, description, action: "retry" };
}

function waitFor(
  code: string,
  description: string,
  failure: Extract<Failure, { kind: "throttled" | "budget_used_up" }>,
): Wire {
  const found = failure.kind === "throttled" ? evidence(failure.evidence) : {};
  return { ...wait(429, code, description), ...found, retryAfterSeconds: failure.retryAfterSeconds };
}

function unsupportedGrant(asked: "password" | "other"): Wire {
  const alternatives =
    "use token-exchange or jwt-bearer with the user's own token, refresh_token with a grant made by the user, authorization_code after a sign-in, or client_credentials";
  const description =
    asked === "password"
      ? `Passwords are never accepted here: ${alternatives}.`
      : `This grant type is not supported: ${alternatives}.`;
  return bad(400, "unsupported_grant_type", "unsupported_grant_type", description);
}

function callerMissing(oauth: boolean): Wire {
  return {
    status: 401,
    error: oauth ? "invalid_client" : "invalid_token",
    code: "caller_missing",
    description: "Send an Entra access token for this service as a Bearer token.",
    action: "new_caller_token",
    challenge: {},
  };
}

function callerRefused(oauth: boolean): Wire {
  return {
    status: 401,
    error: oauth ? "invalid_client" : "invalid_token",
    code: "caller_refused",
    description: "The access token of the caller is not valid for this service.",
    action: "new_caller_token",
    challenge: { error: "invalid_token" },
  };
}

function subjectRefused(dialect: Dialect, presentedAs: "subject_token" | "assertion"): Wire {
  const refused = {
    code: "subject_refused",
    description: "The token to exchange is not valid, or not the caller's to exchange.",
    action: "new_caller_token",
  } as const;
  if (dialect === "problem") {
    return { ...refused, status: 401, error: "invalid_token", challenge: { error: "invalid_token" } };
  }
  // RFC 8693 section 2.2.2 against RFC 7523 section 3.1.
  return { ...refused, status: 400, error: presentedAs === "subject_token" ? "invalid_request" : "invalid_grant" };
}

function codeRefused(): Wire {
  const description = "The code is not valid, not in time, or not for this request.";
  return { ...bad(400, "invalid_grant", "code_refused", description), action: "sign_in" };
}

function grantRefused(oauth: boolean, { reason, signIn }: Extract<Failure, { kind: "grant_refused" }>): Wire {
  const expired = reason === "expired";
  return {
    status: oauth ? 400 : 403,
    error: "invalid_grant",
    code: expired ? "grant_expired" : "grant_invalid",
    description: expired ? "The grant has expired." : "The grant does not exist, or not for this caller.",
    action: "sign_in",
    ...(signIn?.url === undefined ? {} : { signInUrl: signIn.url }),
  };
}

function dependencyFailed(failure: Extract<Failure, { kind: "dependency_failed" }>): Wire {
  const retry = failure.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: failure.retryAfterSeconds };
  const code = `${failure.dependency}_${failure.problem}`;
  switch (failure.problem) {
    case "unavailable":
      return {
        ...wait(503, code, "A service that this one needs is not available."),
        ...evidence(failure.evidence),
        ...retry,
      };
    case "timeout":
      return { ...wait(504, code, "A service that this one needs did not answer in time."), ...retry };
    case "answer_invalid":
      return {
        ...wait(502, code, "A service that this one needs gave no usable answer."),
        ...evidence(failure.evidence),
        error: "server_error",
      };
  }
}
