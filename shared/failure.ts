/**
 * Everything that can go wrong and is expected to, as one tagged union with the evidence an operator needs. Stages
 * return these; `http/failure-to-wire.ts` is the one place that turns them into status codes and words for a caller.
 * No member ever holds a token, a secret, a user name or text that Entra or a caller wrote.
 */

import type { TokenRefusal } from "./caller/token-refusal.ts";

/** What is wrong with a request that could not be read. */
export type RequestProblem =
  | "parameter_missing"
  | "parameter_repeated"
  | "parameter_invalid"
  | "parameter_not_supported"
  | "too_many_parameters"
  | "body_not_utf8"
  | "body_not_json"
  | "token_in_query"
  | "authorization_malformed"
  | "two_client_authentications"
  | "client_secret_not_accepted"
  | "client_id_mismatch";

export type PolicyRefusal =
  | "caller_not_listed"
  | "public_client"
  | "user_required"
  | "application_required"
  | "flow_not_allowed"
  | "offline_access_not_allowed"
  | "import_not_allowed"
  | "unattended_not_allowed"
  | "subject_client_not_allowed"
  | "api_unknown"
  | "api_not_allowed"
  | "api_ambiguous"
  | "api_not_named"
  | "scope_not_allowed";

/** Why a token may not be exchanged: it is not valid, or not this caller's to exchange. */
export type SubjectRefusal = TokenRefusal | "not_a_user" | "not_the_caller";

export type GrantRefusal = "malformed" | "unknown" | "expired" | "not_bound" | "unreadable" | "user_changed";

/** How Entra's refusal is to be read: by who can do something about it. */
export type EntraVerdict =
  | "assertion_refused"
  | "interaction_required"
  | "consent_required"
  | "denied"
  | "grant_dead"
  | "credential_refused"
  | "misconfigured";

/** The parts of Entra's error body that are safe to keep: identifiers and codes, never its text. */
export interface EntraEvidence {
  /** `error_codes`: AADSTS numbers. */
  readonly codes: readonly number[];
  readonly suberror: string | undefined;
  /** `claims` exactly as Entra sent it, a JSON text for the caller to pass on. */
  readonly claims: string | undefined;
  readonly traceId: string | undefined;
  readonly correlationId: string | undefined;
}

export type Dependency = "entra" | "key_set" | "key_vault" | "grant_store";

export type Failure =
  | { readonly kind: "not_found" }
  | { readonly kind: "method_not_allowed"; readonly allow: readonly string[] }
  | { readonly kind: "media_type_unsupported"; readonly expected: string }
  | { readonly kind: "request_too_large"; readonly limitBytes: number }
  | { readonly kind: "request_invalid"; readonly problem: RequestProblem; readonly parameter?: string }
  | { readonly kind: "grant_type_unsupported"; readonly asked: "password" | "other" }
  | { readonly kind: "token_type_unsupported" }
  | { readonly kind: "caller_missing" }
  | { readonly kind: "caller_refused"; readonly reason: TokenRefusal }
  | {
      readonly kind: "subject_refused";
      readonly reason: SubjectRefusal;
      /** RFC 8693 calls a bad subject `invalid_request`, RFC 7523 a bad assertion `invalid_grant`. */
      readonly presentedAs: "subject_token" | "assertion";
    }
  | { readonly kind: "policy_refused"; readonly reason: PolicyRefusal; readonly entry?: string }
  | { readonly kind: "scope_surplus"; readonly entry: string; readonly surplus: readonly string[] }
  | { readonly kind: "grant_refused"; readonly reason: GrantRefusal }
  | {
      readonly kind: "entra_refused";
      readonly verdict: EntraVerdict;
      readonly evidence: EntraEvidence;
      /** What was asked for, so that a consent request can name it. */
      readonly scopes: readonly string[];
      /** The assertion went in as this, see `subject_refused`. */
      readonly presentedAs?: "subject_token" | "assertion";
    }
  | { readonly kind: "throttled"; readonly retryAfterSeconds: number; readonly evidence?: EntraEvidence }
  | {
      readonly kind: "dependency_failed";
      readonly dependency: Dependency;
      readonly problem: "unavailable" | "timeout" | "answer_invalid";
      readonly retryAfterSeconds?: number;
      readonly evidence?: EntraEvidence;
    }
  | { readonly kind: "misconfigured"; readonly code: string; readonly evidence?: EntraEvidence }
  | { readonly kind: "deadline_passed" }
  | { readonly kind: "internal" };
