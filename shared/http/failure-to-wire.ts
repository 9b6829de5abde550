/**
 * The only translation of failures: status, OAuth error, stable code, message and next action. The switch is exhaustive
 * and has no default, so a new failure does not compile until it is added here. Of Entra's evidence, messages contain
 * only the AADSTS number and the trace id.
 */
import type { Dependency } from "../core/dependency.ts";
import type { CodeRefusal, EntraEvidence, Failure, GrantRefusal } from "../core/failure.ts";
import { RELAY_CALLS_MAX } from "../core/limits.ts";
import { actorRefused, callerMissing, callerRefused, subjectRefused } from "./caller-refusal-to-wire.ts";
import { clientRefusalToWire } from "./client-refusal-to-wire.ts";
import { entraRefusalToWire } from "./entra-refusal-to-wire.ts";
import { loadFailureToWire } from "./load-failure-to-wire.ts";
import { policyRefusalToWire } from "./policy-refusal-to-wire.ts";
import { requestProblemToWire } from "./request-problem-to-wire.ts";
import { safeText } from "./safe-text.ts";
import { signInRefusalToWire } from "./sign-in-refusal-to-wire.ts";
import { evidenceMembers, type Wire, type WireOptions } from "./wire.ts";

export function failureToWire(failure: Failure, options: WireOptions): Wire {
  const wire = translate(failure, options);
  const evidence = "evidence" in failure ? failure.evidence : undefined;
  return { ...wire, description: withNumbers(wire.description, evidence), ...retryAfter(wire) };
}

/** The stable code alone. No dialect changes it. */
export function codeOf(failure: Failure): string {
  return translate(failure, { dialect: "oauth", understandsChallenge: false }).code;
}

// ------------------------------------------------------------------------------------------------------------------

/** The wait where nothing else is known. */
const DEFAULT_WAIT_SECONDS: Readonly<Record<number, number>> = { 503: 5, 504: 1 };
const WAIT_MAX_SECONDS = 3_600;

/** A wait of at least a second and at most an hour. A 503 or 504 always has one. */
function retryAfter({ status, retryAfterSeconds }: Wire): Pick<Wire, "retryAfterSeconds"> {
  const seconds = retryAfterSeconds ?? DEFAULT_WAIT_SECONDS[status];
  return seconds === undefined
    ? {}
    : { retryAfterSeconds: Math.min(Math.max(Math.ceil(seconds), 1), WAIT_MAX_SECONDS) };
}

/** Some clients show nothing but the message, so it ends with what Microsoft's support asks for. */
function withNumbers(description: string, evidence: EntraEvidence | undefined): string {
  const [code] = evidence?.codes ?? [];
  const numbers = [
    ...(code === undefined ? [] : [`AADSTS${code}`]),
    ...(evidence?.traceId === undefined ? [] : [`trace ${safeText(evidence.traceId)}`]),
  ].join(", ");
  return numbers === "" ? description : `${description.replace(/\.$/, "")} (${numbers}).`;
}

function translate(failure: Failure, options: WireOptions): Wire {
  switch (failure.kind) {
    case "not_found":
      return clientError(404, "invalid_request", "not_found", "Not found.");
    case "method_not_allowed":
      return methodNotAllowed(failure.allow);
    case "media_type_unsupported":
      return mediaTypeUnsupported(failure.expected);
    case "request_too_large":
      return requestTooLarge(failure.limitBytes);
    case "request_invalid":
      return requestProblemToWire(failure.problem, failure.parameter, failure.hint);
    case "grant_type_unsupported":
      return grantTypeUnsupported(failure.requested);
    case "token_type_unsupported":
      return tokenTypeUnsupported();
    case "caller_missing":
      return callerMissing(options);
    case "caller_refused":
      return callerRefused(failure, options);
    case "subject_refused":
      return subjectRefused(failure, options);
    case "client_refused":
    case "client_budget_used_up":
      return clientRefusalToWire(failure);
    case "actor_refused":
      return actorRefused(failure, options);
    case "policy_refused":
      return policyRefusalToWire(failure, options);
    case "scope_surplus":
      return scopeSurplus();
    case "grant_refused":
      return grantRefused(failure, options);
    case "code_refused":
      return codeRefused(failure.reason);
    case "sign_in_refused":
      return signInRefusalToWire(failure.reason, options.dialect);
    case "entra_refused":
      return entraRefusalToWire(failure, options);
    case "overloaded":
    case "too_many_requests":
    case "budget_used_up":
    case "throttled":
    case "deadline_passed":
      return loadFailureToWire(failure);
    case "dependency_failed":
      return dependencyFailed(failure);
    case "misconfigured":
      return misconfigured(failure);
    case "internal":
      return serverError("internal", "The service failed unexpectedly. Give the correlation id to your administrator.");
  }
}

function clientError(status: number, error: string, code: string, description: string): Wire {
  return { status, error, code, description, action: "fix_request" };
}

function serverError(code: string, description: string): Wire {
  return { status: 500, error: "server_error", code, description, action: "ask_admin" };
}

function temporarilyUnavailable(status: number, code: string, description: string): Wire {
  return { status, error: "temporarily_unavailable", code, description, action: "retry" };
}

function methodNotAllowed(allow: readonly string[]): Wire {
  const description = `This method is not allowed. Use ${allow.join(" or ")}.`;
  return { ...clientError(405, "invalid_request", "method_not_allowed", description), allow };
}

function mediaTypeUnsupported(expected: string): Wire {
  const description = `Send the body as ${expected}, in UTF-8 and uncompressed.`;
  return clientError(415, "invalid_request", "media_type_unsupported", description);
}

function requestTooLarge(limitBytes: number): Wire {
  const description = `The body is too large. The maximum is ${limitBytes} bytes.`;
  return clientError(413, "invalid_request", "request_too_large", description);
}

function grantTypeUnsupported(requested: "password" | "other"): Wire {
  const alternatives =
    "Use token-exchange or jwt-bearer with the user's own token, refresh_token with a grant, authorization_code after a sign-in, or client_credentials.";
  const reason = requested === "password" ? "Passwords are never accepted." : "This grant type is not supported.";
  return clientError(400, "unsupported_grant_type", "unsupported_grant_type", `${reason} ${alternatives}`);
}

function tokenTypeUnsupported(): Wire {
  const description = "Only grants can be revoked. Send a grant handle (gte_...) or a grant id.";
  return clientError(400, "unsupported_token_type", "unsupported_token_type", description);
}

function scopeSurplus(): Wire {
  const description =
    "Entra's token has more scopes than the policy allows this caller, so the service did not release it. Ask your administrator.";
  return serverError("scope_surplus", description);
}

function grantRefused({ reason, signIn }: Extract<Failure, { kind: "grant_refused" }>, { dialect }: WireOptions): Wire {
  if (reason === "limit_reached") return clientError(409, "invalid_request", "grant_limit_reached", LIMIT_REACHED);
  const [code, problem, action = "sign_in"] = GRANT_PROBLEMS[reason] ?? GRANT_INVALID;
  return {
    status: dialect === "oauth" ? 400 : 403,
    error: "invalid_grant",
    code,
    description: problem,
    action,
    ...(signIn?.url === undefined ? {} : { signInUrl: signIn.url }),
  };
}

/** The reasons that the grant's own caller may know. For all others, a grant of another caller looks like none. */
const GRANT_PROBLEMS: Partial<Record<GrantRefusal, GrantProblem>> = {
  expired: ["grant_expired", "The grant has expired. The user has to sign in again."],
  revoked: ["grant_revoked", "An administrator revoked the grant. The user has to allow a new one."],
  pending: ["grant_pending", "No one has allowed the grant yet. The user has to open the link and allow it."],
  other_registration: [
    "grant_for_other_registration",
    "The grant was issued for another app registration than the policy has for this caller now. The user has to sign in for a new grant.",
  ],
  verifier_missing: [
    "grant_verifier_required",
    "The grant is bound to a session of the application. Send its code_verifier with the first request.",
    "fix_request",
  ],
  verifier_wrong: [
    "grant_verifier_wrong",
    "The code_verifier does not match the code_challenge of the grant's link.",
    "fix_request",
  ],
};
const LIMIT_REACHED =
  "This caller has as many grants of this person as the policy allows, and it has redeemed each of them. End one that is no longer needed: GET /grants lists them, POST /oauth2/revoke ends one.";
type GrantProblem = readonly [code: string, problem: string, action?: Wire["action"]];
const GRANT_INVALID: GrantProblem = [
  "grant_invalid",
  "The grant does not exist, or it belongs to another caller. The user has to sign in for a new grant.",
];

function codeRefused(reason: CodeRefusal): Wire {
  const [code, problem] =
    reason === "other_registration"
      ? ["code_for_other_registration", "The authorization code is for another app registration of this service."]
      : ["code_refused", "The authorization code is invalid, expired or issued for another request."];
  const description = `${problem} The user has to sign in again.`;
  return { ...clientError(400, "invalid_grant", code, description), action: "sign_in" };
}

function dependencyFailed(failure: Extract<Failure, { kind: "dependency_failed" }>): Wire {
  const retry = failure.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: failure.retryAfterSeconds };
  if (failure.problem === "answer_too_large" || failure.problem === "redirect")
    return answerNotPassedOn(failure.problem);
  const code = `${failure.dependency}_${failure.problem}`;
  const name = DEPENDENCIES[failure.dependency];
  switch (failure.problem) {
    case "unavailable":
      return {
        ...temporarilyUnavailable(503, code, `${name} is not available. Try again later.`),
        ...evidenceMembers(failure.evidence),
        ...retry,
      };
    case "busy":
      return { ...temporarilyUnavailable(503, code, TOO_MANY_CALLS), ...retry };
    case "timeout":
      return { ...temporarilyUnavailable(504, code, `${name} did not answer in time. Try again later.`), ...retry };
    case "answer_invalid":
      return {
        ...temporarilyUnavailable(502, code, `${name} returned an unusable answer. Try again later.`),
        ...evidenceMembers(failure.evidence),
        error: "server_error",
      };
  }
}

const TOO_MANY_CALLS = `This caller has ${RELAY_CALLS_MAX} requests to APIs running. Send the next one when one of them has ended.`;

/** The API answered, and the caller can ask it in another way. */
function answerNotPassedOn(problem: "answer_too_large" | "redirect"): Wire {
  const description =
    problem === "redirect"
      ? "The API answered with a redirect to another host. The service does not follow it and does not pass it on, because such an address works without a token."
      : "The answer of the API is too large. Request fewer items or a range.";
  return { ...serverError(`downstream_${problem}`, description), status: 502, action: "fix_request" };
}

/** The code names the dependency as well. */
const DEPENDENCIES: Readonly<Record<Dependency, string>> = {
  entra: "Entra",
  key_set: "Entra's list of signing keys",
  key_vault: "Key Vault",
  managed_identity: "The managed identity endpoint",
  grant_store: "The grant store",
  policy: "The policy of this service",
  downstream: "The API",
};

function misconfigured({ code, evidence }: Extract<Failure, { kind: "misconfigured" }>): Wire {
  const description = "The service is not configured correctly. Ask your administrator.";
  return { ...serverError(code, description), ...evidenceMembers(evidence) };
}
