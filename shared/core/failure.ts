/**
 * Everything that can go wrong and is expected to, as one tagged union with the evidence an operator needs. Stages
 * return these; `http/failure-to-wire.ts` is the one place that turns them into status codes and words for a caller.
 * No member ever holds a token, a secret, a user name or text that Entra or a caller wrote.
 */

import type { Grant } from "./grant.ts";
import type { TokenRefusal } from "./token-refusal.ts";

/** What is wrong with a request that could not be read. */
export type RequestProblem =
  | "parameter_missing"
  | "parameter_repeated"
  | "parameter_invalid"
  | "parameter_not_supported"
  | "scope_malformed"
  | "too_many_parameters"
  /** One was announced, and none came: the host does not pass on a body sent in chunks. */
  | "body_missing"
  | "body_not_utf8"
  | "body_not_json"
  | "response_type_unsupported"
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
  | "role_required"
  | "flow_not_allowed"
  | "offline_access_not_allowed"
  | "import_not_allowed"
  | "unattended_not_allowed"
  | "subject_client_not_allowed"
  | "api_unknown"
  | "api_not_allowed"
  | "api_ambiguous"
  | "api_not_named"
  | "scope_not_allowed"
  | "redirect_uri_not_allowed"
  | "link_caller_not_own";

/** Which rule refused, and what is known of the request by then. */
export interface PolicyRefused {
  readonly reason: PolicyRefusal;
  /** The entry that matched the caller, if one did. */
  readonly entry?: string;
  /** The API that was meant, if that is clear. */
  readonly api?: string;
  /** Of the scopes asked, those that policy knows: anything else is text of the caller's. */
  readonly scopes?: readonly string[];
}

/** The token carries scopes outside the caller's list, so it is not released. */
export interface ScopeSurplus {
  readonly kind: "scope_surplus";
  readonly entry: string;
  readonly api: string;
  readonly surplus: readonly string[];
}

/** Why a token may not be exchanged: it is not valid, or not this caller's to exchange. */
export type SubjectRefusal = TokenRefusal | "not_a_user" | "not_the_caller";

export type GrantRefusal = "malformed" | "unknown" | "expired" | "not_bound" | "unreadable" | "user_changed";

/** The policy entry of the application now, and what its grant was. */
export interface EndedGrant {
  readonly entry: string;
  /** Whoever asks has proved itself with a secret or a certificate. */
  readonly confidential: boolean;
  readonly grant: Grant;
}

/** Why an authorization code of ours is not exchanged (RFC 6749 section 4.1.3, RFC 7636 section 4.6). */
export type CodeRefusal = "malformed" | "expired" | "wrong_client" | "wrong_redirect_uri" | "wrong_verifier";

/** Why a person's sign-in cannot go on. Told on a page, in plain words. */
export type SignInRefusal =
  /** `request_uri` is missing, forged, or pushed by another client. */
  | "request_invalid"
  | "request_expired"
  | "link_invalid"
  | "link_expired"
  /** Entra's answer is not one, or is not for a sign-in that this browser began. */
  | "answer_invalid"
  | "transaction_missing"
  | "transaction_expired"
  | "state_mismatch"
  /** The person said no on our page. */
  | "declined"
  | "wrong_user"
  | "guest"
  | "confirmation_missing"
  | "confirmation_expired"
  /** The form came again, and the grant that it had made was revoked meanwhile. */
  | "confirmation_used"
  /** The form did not come from our page. */
  | "form_forged"
  | "too_large";

/** How Entra's refusal is to be read: by who can do something about it. */
export type EntraVerdict =
  | "assertion_refused"
  | "interaction_required"
  | "consent_required"
  | "denied"
  | "grant_dead"
  | "credential_refused"
  | "misconfigured";

/** OpenID Connect Core section 3.1.2.6: why nobody could be asked, with `prompt=none`. */
export type OpenIdError = "login_required" | "account_selection_required";

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
  | ({ readonly kind: "policy_refused" } & PolicyRefused)
  | ScopeSurplus
  | {
      readonly kind: "grant_refused";
      readonly reason: GrantRefusal;
      /** For the trail only, so that a handle in the wrong hands can be traced. Whoever sent it learns nothing. */
      readonly grantId?: string;
      /** An application's grant that expired: what a person would have to make again. Stays inside. */
      readonly ended?: EndedGrant;
      /** As in `entra_refused`. */
      readonly signIn?: { readonly url: string | undefined };
    }
  | {
      readonly kind: "entra_refused";
      readonly verdict: EntraVerdict;
      readonly evidence: EntraEvidence;
      /** What was asked for, so that a consent request can name it. */
      readonly scopes: readonly string[];
      /** The assertion went in as this, see `subject_refused`. */
      readonly presentedAs?: "subject_token" | "assertion";
      /** An application redeemed a grant: a person has to make it again. With a link where policy lets one be made. */
      readonly signIn?: { readonly url: string | undefined };
      /** Entra sent a browser back with a finer word than the verdict, which OpenID Connect clients look for. */
      readonly openIdError?: OpenIdError;
    }
  | { readonly kind: "code_refused"; readonly reason: CodeRefusal }
  | { readonly kind: "sign_in_refused"; readonly reason: SignInRefusal }
  /** Our own limit for requests that pass by the cache. */
  | { readonly kind: "budget_used_up"; readonly retryAfterSeconds: number }
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
