/**
 * Every expected failure, as one tagged union with the evidence that an operator needs. Only `http/failure-to-wire.ts`
 * translates failures into statuses and messages. No member holds a token, a secret, a user name or text that Entra
 * wrote. Text of the caller is only in the members that say so, and messages have it only after `http/safe-text.ts`.
 */

import type { BatchProblem } from "./batch-problem.ts";
import type { DependencyProblem } from "./dependency.ts";
import type { TargetProblem } from "./downstream-target.ts";
import type { FlowName } from "./flow-name.ts";
import type { WantedGrant } from "./grant.ts";
import type { LoadFailure } from "./load-failure.ts";
import type { TokenRefusal } from "./token-refusal.ts";

/** What is wrong with a request that the service cannot read. */
export type RequestProblem =
  | "parameter_missing"
  | "parameter_repeated"
  | "parameter_invalid"
  | "parameter_not_supported"
  /** The query has a parameter that the service reads from the body only. */
  | "parameter_in_query"
  /** A parameter that must be a grant handle has another form. */
  | "handle_malformed"
  | "scope_malformed"
  | "too_many_parameters"
  /** The store has its maximum of revocations. */
  | "too_many_revocations"
  /** The headers announce a body, and none arrived: the Functions host does not pass on a body sent in chunks. */
  | "body_missing"
  | "body_not_utf8"
  | "body_not_json"
  /** The path or the query of a request to an API has no single reading. */
  | "path_invalid"
  /** The body of a batch is not one that the service can check. */
  | "batch_invalid"
  | "response_type_unsupported"
  | "token_in_query"
  | "authorization_malformed"
  | "two_client_authentications"
  | "client_secret_not_accepted"
  | "client_id_mismatch";

/** What a value looks like that must be a grant handle. */
export type HandleMistake = "empty" | "expression" | "quoted" | "incomplete" | "entra_token" | "other";

/** What the service recognizes in a wrong parameter. It never contains the value. */
export type RequestHint =
  | {
      /** The name of a parameter that the service accepts, similar to the one that was sent. */
      readonly meant?: string;
      /** Every parameter that the route accepts, or every value that the parameter may have. */
      readonly supported?: readonly string[];
    }
  | { readonly looksLike: HandleMistake }
  | { readonly target: TargetProblem }
  | { readonly batch: BatchProblem };

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
  | "link_caller_not_own"
  /** The caller's token is for another registration than its entry. */
  | "token_for_other_registration"
  /** The entry may use the API through the relay only. */
  | "relay_only"
  /** No rule of `downstream` allows this request to the API. */
  | "downstream_not_allowed";

/** The rule that refused, and what is known about the request at that point. */
export interface PolicyRefused {
  readonly reason: PolicyRefusal;
  /** The entry that matched the caller, if one did. */
  readonly entry?: string;
  /** The requested API, if the request names exactly one. */
  readonly api?: string;
  /** The requested scopes that the policy also lists. Other scopes are text from the caller and are left out. */
  readonly scopes?: readonly string[];
  /** Text of the caller: what the rule refused, for example the scopes, the name of the API or the flow. */
  readonly requested?: readonly string[];
  /** What the caller's own entry has instead. */
  readonly listed?: readonly string[];
  /** Name of the entry's registration. */
  readonly registration?: string;
  /** The kind of the caller whose token is for another registration. */
  readonly callerKind?: "user" | "application";
}

/** The token carries scopes outside the caller's list, so it is not released. */
export interface ScopeSurplus {
  readonly kind: "scope_surplus";
  readonly entry: string;
  readonly api: string;
  readonly surplus: readonly string[];
}

/** Why a token may not be exchanged: it is not valid, or this caller may not exchange it. */
export type SubjectRefusal = TokenRefusal | "not_a_user" | "not_the_caller" | "other_registration";

/** Why an `actor_token` is refused: it is not valid, or the policy has no entry for its caller. */
export type ActorRefusal = TokenRefusal | "not_listed";

export type GrantRefusal =
  | "unknown"
  | "expired"
  /** An administrator revoked it, or the policy counts no grant that is this old. */
  | "revoked"
  /** Requested with a link, and no person has allowed it yet. */
  | "pending"
  | "not_bound"
  | "unreadable"
  | "user_changed"
  /** The caller has as many grants of this person as the policy allows, and each was redeemed. */
  | "limit_reached"
  /** Issued for another registration than the caller's token and its entry. */
  | "other_registration"
  /** The grant is bound to a session of the application, and the request has no verifier, or the wrong one. */
  | "verifier_missing"
  | "verifier_wrong";

/** Why the service refuses an authorization code that it issued (RFC 6749 section 4.1.3, RFC 7636 section 4.6). */
export type CodeRefusal =
  | "malformed"
  | "expired"
  | "wrong_client"
  | "wrong_redirect_uri"
  | "wrong_verifier"
  /** Issued for another registration than the caller's token and its entry. */
  | "other_registration"
  /** An earlier request with the same code has used Entra's refresh token. */
  | "already_redeemed";

/** Why a sign-in ends early. The browser gets a page that explains it. */
export type SignInRefusal =
  /** `request_uri` is missing, forged, or pushed by another client. */
  | "request_invalid"
  | "request_expired"
  | "link_invalid"
  | "link_expired"
  /** The link was answered, or its access has been ended. */
  | "link_used"
  /** The callback has neither a code nor an error from Entra, or has both. */
  | "answer_invalid"
  | "transaction_missing"
  | "transaction_expired"
  | "state_mismatch"
  /** The person chose "Don’t allow" on the confirmation page. */
  | "declined"
  | "wrong_user"
  | "guest"
  | "confirmation_missing"
  | "confirmation_expired"
  /** The access that the form is about has been ended. */
  | "confirmation_used"
  /** The form did not come from the confirmation page. */
  | "form_forged"
  /** The sign-in began for another registration than the application's entry has now. */
  | "registration_changed"
  /** `/me`: the session is over, or there is none. */
  | "session_ended"
  /** The form did not come from `/me`. */
  | "session_form_forged"
  | "too_large";

/** Entra's refusal, classified by who can act on it. */
export type EntraVerdict =
  | "assertion_refused"
  | "interaction_required"
  | "consent_required"
  | "denied"
  | "grant_dead"
  /** The authorization code is used, expired or invalid. No grant exists yet. */
  | "code_refused"
  | "credential_refused"
  | "misconfigured";

/** OpenID Connect Core section 3.1.2.6: why Entra could not answer without a prompt (`prompt=none`). */
export type OpenIdError = "login_required" | "account_selection_required";

/** The parts of Entra's error body that are safe to log: identifiers and codes, never its text. */
export interface EntraEvidence {
  /** `error_codes`: AADSTS error codes. */
  readonly codes: readonly number[];
  readonly suberror: string | undefined;
  /** `claims` exactly as Entra sent it: JSON text that the caller sends back to Entra. */
  readonly claims: string | undefined;
  readonly traceId: string | undefined;
  readonly correlationId: string | undefined;
}

/** `unproved`: Entra was asked about a client's own credential that was never right, so a stranger can cause the failure. */
type Undecided = { readonly evidence?: EntraEvidence; readonly unproved?: true };

export type Failure =
  | { readonly kind: "not_found" }
  | { readonly kind: "method_not_allowed"; readonly allow: readonly string[] }
  | { readonly kind: "media_type_unsupported"; readonly expected: string }
  | { readonly kind: "request_too_large"; readonly limitBytes: number }
  | {
      readonly kind: "request_invalid";
      readonly problem: RequestProblem;
      /** As the sender wrote it, or a replacement if it contains characters that could inject text. */
      readonly parameter?: string;
      readonly hint?: RequestHint;
    }
  | { readonly kind: "grant_type_unsupported"; readonly requested: "password" | "other" }
  | { readonly kind: "token_type_unsupported" }
  | { readonly kind: "caller_missing" }
  | {
      readonly kind: "caller_refused";
      readonly reason: TokenRefusal;
      /** Length of a token that is too long. */
      readonly sentBytes?: number;
      /** Client id of the registration that a genuine token is for. */
      readonly registration?: string;
    }
  | {
      readonly kind: "subject_refused";
      readonly reason: SubjectRefusal;
      readonly sentBytes?: number;
      readonly registration?: string;
      /** RFC 8693 calls a bad subject `invalid_request`, RFC 7523 a bad assertion `invalid_grant`. */
      readonly presentedAs: "subject_token" | "assertion";
    }
  | {
      /** The client's own secret or assertion does not prove the client. */
      readonly kind: "client_refused";
      readonly method: "client_secret" | "client_assertion";
      /** `entra`: Entra refused it. The others concern an assertion, and Entra is not called. */
      readonly reason: "entra" | "audience" | "expired";
      readonly evidence?: EntraEvidence;
    }
  /** Entra did not accept too many secrets or assertions of one client, or of all clients together. */
  | { readonly kind: "client_budget_used_up"; readonly retryAfterSeconds: number }
  | { readonly kind: "actor_refused"; readonly reason: ActorRefusal; readonly sentBytes?: number }
  | ({ readonly kind: "policy_refused" } & PolicyRefused)
  | ScopeSurplus
  | {
      readonly kind: "grant_refused";
      readonly reason: GrantRefusal;
      /** For the audit trail only: it traces a stolen handle. The response does not contain it. */
      readonly grantId?: string;
      /** An application's grant that is pending or has expired. Never in a response. */
      readonly wanted?: WantedGrant;
      /** As in `entra_refused`. */
      readonly signIn?: { readonly url: string | undefined };
    }
  | {
      readonly kind: "entra_refused";
      readonly verdict: EntraVerdict;
      readonly evidence: EntraEvidence;
      /** The requested scopes, so that a consent request can name them. */
      readonly scopes: readonly string[];
      /** The flow of the token request. Undefined: a sign-in. */
      readonly flow?: FlowName;
      /** How the refused token was presented, see `subject_refused`. */
      readonly presentedAs?: "subject_token" | "assertion";
      /**
       * A person can resolve the refusal of a grant or a code by signing in. `url` is a link that renews an
       * application's grant, if policy allows one.
       */
      readonly signIn?: { readonly url: string | undefined };
      /** The more precise error that Entra sent with the browser. OpenID Connect clients look for it. */
      readonly openIdError?: OpenIdError;
      /**
       * The service repeats an earlier refusal, or looks for another credential, and calls Entra again after this many
       * seconds.
       */
      readonly retryAfterSeconds?: number;
    }
  | { readonly kind: "code_refused"; readonly reason: CodeRefusal }
  | { readonly kind: "sign_in_refused"; readonly reason: SignInRefusal }
  | LoadFailure
  /** The service's own limit for uncached requests. */
  | { readonly kind: "budget_used_up"; readonly retryAfterSeconds: number }
  | ({ readonly kind: "throttled"; readonly retryAfterSeconds: number } & Undecided)
  | ({ readonly kind: "dependency_failed"; readonly retryAfterSeconds?: number } & Undecided & DependencyProblem)
  | { readonly kind: "misconfigured"; readonly code: string; readonly evidence?: EntraEvidence }
  | { readonly kind: "deadline_passed" }
  | { readonly kind: "internal" };
