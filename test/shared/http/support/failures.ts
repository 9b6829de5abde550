/** One of every failure, with all its reasons. A new failure does not compile until it is added here. */

import { DEPENDENCY_PROBLEMS } from "../../../../shared/core/dependency.ts";
import type {
  CodeRefusal,
  EntraEvidence,
  EntraVerdict,
  Failure,
  GrantRefusal,
  PolicyRefusal,
  RequestProblem,
  SignInRefusal,
} from "../../../../shared/core/failure.ts";
import { TOKEN_REFUSALS, type TokenRefusal } from "../../../../shared/core/token-refusal.ts";

export const TRACE_ID = "7ace0000-0000-4000-8000-000000000001";
export const CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1 ÿ"}}}';

export const EVIDENCE: EntraEvidence = {
  codes: [50076],
  suberror: "basic_action",
  claims: undefined,
  traceId: TRACE_ID,
  correlationId: "c0440000-0000-4000-8000-000000000001",
};

/** The RFC 6749 error of each refusal. RFC 8693 and RFC 8707 add `invalid_target`. */
export const POLICY_ERRORS: Readonly<Record<PolicyRefusal, string>> = {
  caller_not_listed: "unauthorized_client",
  public_client: "unauthorized_client",
  user_required: "unauthorized_client",
  application_required: "unauthorized_client",
  flow_not_allowed: "unauthorized_client",
  import_not_allowed: "unauthorized_client",
  unattended_not_allowed: "unauthorized_client",
  subject_client_not_allowed: "unauthorized_client",
  role_required: "unauthorized_client",
  link_caller_not_own: "unauthorized_client",
  token_for_other_registration: "invalid_client",
  offline_access_not_allowed: "invalid_scope",
  scope_not_allowed: "invalid_scope",
  api_unknown: "invalid_target",
  api_not_allowed: "invalid_target",
  api_ambiguous: "invalid_target",
  api_not_named: "invalid_target",
  redirect_uri_not_allowed: "invalid_request",
  relay_only: "unauthorized_client",
  downstream_not_allowed: "unauthorized_client",
};

/** Refusals that only the caller can correct, because no policy could allow the request. */
export const FIXED_BY_CALLER: readonly PolicyRefusal[] = [
  "user_required",
  "application_required",
  "api_unknown",
  "api_ambiguous",
  "api_not_named",
  "redirect_uri_not_allowed",
  "link_caller_not_own",
  "relay_only",
];

export const REQUEST_ERRORS: Readonly<Record<RequestProblem, string>> = {
  parameter_missing: "invalid_request",
  parameter_repeated: "invalid_request",
  parameter_invalid: "invalid_request",
  parameter_not_supported: "invalid_request",
  parameter_in_query: "invalid_request",
  handle_malformed: "invalid_request",
  scope_malformed: "invalid_scope",
  too_many_parameters: "invalid_request",
  too_many_revocations: "invalid_request",
  body_missing: "invalid_request",
  body_not_utf8: "invalid_request",
  body_not_json: "invalid_request",
  path_invalid: "invalid_request",
  batch_invalid: "invalid_request",
  response_type_unsupported: "unsupported_response_type",
  token_in_query: "invalid_request",
  authorization_malformed: "invalid_request",
  two_client_authentications: "invalid_request",
  client_secret_not_accepted: "invalid_request",
  client_id_mismatch: "invalid_request",
};

const GRANT_REFUSALS: Readonly<Record<GrantRefusal, true>> = {
  unknown: true,
  expired: true,
  revoked: true,
  pending: true,
  not_bound: true,
  unreadable: true,
  user_changed: true,
  limit_reached: true,
  other_registration: true,
  verifier_missing: true,
  verifier_wrong: true,
};

type DependencyFailed = Extract<Failure, { kind: "dependency_failed" }>;

const DEPENDENCY_FAILURES: readonly DependencyFailed[] = Object.entries(DEPENDENCY_PROBLEMS).flatMap(
  ([dependency, problems]) =>
    problems.map((problem) => ({ kind: "dependency_failed", dependency, problem }) as DependencyFailed),
);

const VERDICTS: Readonly<Record<EntraVerdict, true>> = {
  assertion_refused: true,
  interaction_required: true,
  consent_required: true,
  denied: true,
  grant_dead: true,
  code_refused: true,
  credential_refused: true,
  misconfigured: true,
};

const PRESENTED = ["subject_token", "assertion"] as const;
const TOKEN_REASONS = namesOf<TokenRefusal>(TOKEN_REFUSALS);

const CODE_REFUSALS: Readonly<Record<CodeRefusal, true>> = {
  malformed: true,
  expired: true,
  wrong_client: true,
  wrong_redirect_uri: true,
  wrong_verifier: true,
  other_registration: true,
  already_redeemed: true,
};

/** The status of the page for each refusal. */
export const SIGN_IN_STATUS: Readonly<Record<SignInRefusal, 400 | 403>> = {
  request_invalid: 400,
  request_expired: 400,
  link_invalid: 400,
  link_expired: 400,
  link_used: 400,
  answer_invalid: 400,
  transaction_missing: 400,
  transaction_expired: 400,
  state_mismatch: 400,
  declined: 403,
  wrong_user: 403,
  guest: 403,
  confirmation_missing: 400,
  confirmation_expired: 400,
  confirmation_used: 400,
  form_forged: 403,
  registration_changed: 400,
  session_ended: 400,
  session_form_forged: 403,
  too_large: 400,
};

const EXAMPLES: { readonly [K in Failure["kind"]]: readonly Extract<Failure, { kind: K }>[] } = {
  not_found: [{ kind: "not_found" }],
  method_not_allowed: [{ kind: "method_not_allowed", allow: ["GET", "POST"] }],
  media_type_unsupported: [{ kind: "media_type_unsupported", expected: "application/json" }],
  request_too_large: [{ kind: "request_too_large", limitBytes: 65_536 }],
  request_invalid: namesOf<RequestProblem>(REQUEST_ERRORS).flatMap((problem) => [
    { kind: "request_invalid", problem } as const,
    { kind: "request_invalid", problem, parameter: "scope" } as const,
  ]),
  grant_type_unsupported: [
    { kind: "grant_type_unsupported", requested: "password" },
    { kind: "grant_type_unsupported", requested: "other" },
  ],
  token_type_unsupported: [{ kind: "token_type_unsupported" }],
  caller_missing: [{ kind: "caller_missing" }],
  caller_refused: TOKEN_REASONS.map((reason) => ({ kind: "caller_refused", reason }) as const),
  subject_refused: [...TOKEN_REASONS, "not_a_user" as const, "not_the_caller" as const].flatMap((reason) =>
    PRESENTED.map((presentedAs) => ({ kind: "subject_refused", reason, presentedAs }) as const),
  ),
  client_refused: (["entra", "audience", "expired"] as const).flatMap((reason) => [
    { kind: "client_refused", method: "client_secret", reason, evidence: EVIDENCE } as const,
    { kind: "client_refused", method: "client_assertion", reason } as const,
  ]),
  client_budget_used_up: [{ kind: "client_budget_used_up", retryAfterSeconds: 7 }],
  actor_refused: [...TOKEN_REASONS, "not_listed" as const].map(
    (reason) => ({ kind: "actor_refused", reason }) as const,
  ),
  policy_refused: namesOf<PolicyRefusal>(POLICY_ERRORS).flatMap((reason) => [
    { kind: "policy_refused", reason } as const,
    { kind: "policy_refused", reason, entry: "web-users" } as const,
  ]),
  scope_surplus: [{ kind: "scope_surplus", entry: "web-users", api: "graph", surplus: ["Files.ReadWrite.All"] }],
  grant_refused: namesOf<GrantRefusal>(GRANT_REFUSALS).map((reason) => ({ kind: "grant_refused", reason }) as const),
  entra_refused: namesOf<EntraVerdict>(VERDICTS).flatMap((verdict) => [
    { kind: "entra_refused", verdict, evidence: EVIDENCE, scopes: ["User.Read"], presentedAs: "assertion" } as const,
    { kind: "entra_refused", verdict, evidence: { ...EVIDENCE, claims: CLAIMS }, scopes: [] } as const,
  ]),
  code_refused: namesOf<CodeRefusal>(CODE_REFUSALS).map((reason) => ({ kind: "code_refused", reason }) as const),
  sign_in_refused: namesOf<SignInRefusal>(SIGN_IN_STATUS).map(
    (reason) => ({ kind: "sign_in_refused", reason }) as const,
  ),
  overloaded: [{ kind: "overloaded", retryAfterSeconds: 1 }],
  too_many_requests: [
    { kind: "too_many_requests", quota: { name: "at-once", limit: 128 }, retryAfterSeconds: 1 },
    { kind: "too_many_requests", quota: { name: "requests", limit: 600, windowSeconds: 60 }, retryAfterSeconds: 30 },
  ],
  budget_used_up: [{ kind: "budget_used_up", retryAfterSeconds: 7 }],
  throttled: [
    { kind: "throttled", retryAfterSeconds: 7 },
    { kind: "throttled", retryAfterSeconds: 0, evidence: EVIDENCE },
  ],
  dependency_failed: DEPENDENCY_FAILURES.flatMap((failure) => [
    failure,
    { ...failure, retryAfterSeconds: 5, evidence: EVIDENCE },
  ]),
  misconfigured: [
    { kind: "misconfigured", code: "credential_unusable" },
    { kind: "misconfigured", code: "grant_store_refused", evidence: EVIDENCE },
  ],
  deadline_passed: [{ kind: "deadline_passed" }],
  internal: [{ kind: "internal" }],
};

export const EVERY_FAILURE: readonly Failure[] = Object.values(EXAMPLES).flat();

/** A failure in one line, for a test title. */
export function nameOf(failure: Failure): string {
  const { kind, ...rest } = failure;
  const { evidence, ...facts } = rest as { readonly evidence?: unknown };
  return `${kind} ${JSON.stringify(facts)}${evidence === undefined ? "" : " with evidence"}`;
}

function namesOf<T extends string>(record: Readonly<Record<T, unknown>>): readonly T[] {
  return Object.keys(record) as T[];
}
