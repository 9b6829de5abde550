/**
 * Entra's error numbers as the v2 token endpoint sends them, each with its kind and the class that the service must give
 * it. Kinds: U the user can act, A invalid assertion, R wrong request, S wrong configuration of the service, T temporary.
 * An error about a value that the service checked or the administrator configured is never an error of the caller.
 */
import type { CodeClass } from "../../../../shared/entra/aadsts.ts";

export interface AadstsRow {
  readonly code: number;
  readonly status: number;
  readonly error: string;
  readonly suberror?: string;
  readonly kind: "U" | "A" | "R" | "S" | "T";
  readonly expected: CodeClass;
  readonly text: string;
}

type Columns = readonly [number, number, string, string | undefined, AadstsRow["kind"], CodeClass, string];

const NONE = undefined;

const COLUMNS: readonly Columns[] = [
  [50013, 400, "invalid_grant", NONE, "A", "assertion_refused", "Assertion failed signature validation."],
  [500131, 400, "invalid_grant", NONE, "S", "misconfigured", "Assertion audience does not match the Client app."],
  [500133, 400, "invalid_grant", NONE, "A", "assertion_refused", "Assertion is not within its valid time range."],
  [50076, 400, "invalid_grant", "basic_action", "U", "interaction_required", "you must use multi-factor."],
  [50076, 400, "interaction_required", "basic_action", "U", "interaction_required", "you must use multi-factor."],
  [50079, 400, "invalid_grant", "basic_action", "U", "interaction_required", "you must enroll in multi-factor."],
  [50079, 400, "interaction_required", "basic_action", "U", "interaction_required", "you must enroll."],
  [50158, 400, "interaction_required", NONE, "U", "interaction_required", "External security challenge not satisfied."],
  [50105, 400, "invalid_grant", NONE, "U", "denied", "User is not assigned to a role for the application."],
  [50105, 400, "interaction_required", NONE, "U", "denied", "User is not assigned to a role for the application."],
  [50173, 400, "invalid_grant", "bad_token", "U", "grant_dead", "The provided grant has expired: it was revoked."],
  [53000, 400, "interaction_required", "message_only", "U", "interaction_required", "Device is not compliant."],
  [53000, 400, "invalid_grant", "additional_action", "U", "interaction_required", "Device is not compliant."],
  [53001, 400, "interaction_required", "message_only", "U", "interaction_required", "Device is not domain joined."],
  [53001, 400, "invalid_grant", "additional_action", "U", "interaction_required", "Device is not domain joined."],
  [53002, 400, "interaction_required", "message_only", "U", "interaction_required", "App used is not approved."],
  [53002, 400, "invalid_grant", "additional_action", "U", "interaction_required", "App used is not approved."],
  [53003, 400, "invalid_grant", "message_only", "U", "denied", "Access has been blocked by Conditional Access."],
  [53003, 400, "interaction_required", "message_only", "U", "denied", "Access has been blocked by Conditional Access."],
  [65001, 400, "invalid_grant", "consent_required", "U", "consent_required", "The user has not consented."],
  [65004, 400, "access_denied", "cancel", "U", "denied", "User declined to consent."],
  [70000, 400, "invalid_grant", NONE, "R", "grant_dead", "Provided grant is invalid."],
  [70003, 400, "unsupported_grant_type", NONE, "S", "misconfigured", "The app requested an unsupported grant type."],
  [70008, 400, "invalid_grant", NONE, "U", "grant_dead", "The provided code or refresh token has expired."],
  [700082, 400, "invalid_grant", "bad_token", "U", "grant_dead", "The refresh token has expired due to inactivity."],
  [700084, 400, "invalid_grant", NONE, "U", "grant_dead", "The refresh token was issued to a single page app."],
  [70011, 400, "invalid_scope", NONE, "R", "misconfigured", "The scope x is not valid."],
  [70016, 400, "authorization_pending", NONE, "T", "unavailable", "Authorization is pending. Continue polling."],
  [70018, 400, "bad_verification_code", NONE, "R", "grant_dead", "Invalid verification code."],
  [70018, 400, "authorization_declined", NONE, "R", "grant_dead", "The user refused."],
  [70019, 400, "expired_token", NONE, "U", "grant_dead", "Verification code expired."],
  [70020, 400, "expired_token", NONE, "U", "grant_dead", "This device code has expired."],
  [70043, 400, "invalid_grant", "token_expired", "U", "grant_dead", "The refresh token: sign-in frequency checks."],
  [70043, 400, "interaction_required", "token_expired", "U", "grant_dead", "The refresh token: sign-in frequency."],
  [700016, 400, "unauthorized_client", NONE, "S", "misconfigured", "Application was not found in the directory."],
  [700022, 400, "invalid_scope", NONE, "R", "misconfigured", "Scopes of more than one resource."],
  [28002, 400, "invalid_request", NONE, "R", "misconfigured", "Scope bad at code redemption."],
  [28003, 400, "invalid_request", NONE, "R", "misconfigured", "Scope empty at code redemption."],
  [700024, 401, "invalid_client", NONE, "S", "credential_refused", "Client assertion is not within its valid time."],
  [700027, 401, "invalid_client", NONE, "S", "credential_refused", "Client assertion contains an invalid signature."],
  [700030, 400, "unauthorized_client", NONE, "S", "misconfigured", "Not a valid application identifier."],
  [700038, 400, "unauthorized_client", NONE, "S", "misconfigured", "Not a valid application identifier."],
  [700213, 401, "invalid_client", NONE, "S", "credential_refused", "No matching federated identity record found."],
  [700211, 401, "invalid_client", NONE, "S", "credential_refused", "No matching federated identity record: issuer."],
  [700212, 401, "invalid_client", NONE, "S", "credential_refused", "No matching federated identity record: audience."],
  [70021, 400, "invalid_request", NONE, "S", "credential_refused", "No matching federated identity record found."],
  [7002137, 401, "invalid_client", NONE, "S", "credential_refused", "No matching federated identity record: case."],
  [7002138, 401, "invalid_client", NONE, "S", "credential_refused", "No matching federated identity record: case."],
  [700223, 401, "invalid_client", NONE, "S", "credential_refused", "The identity is not accepted."],
  [7000112, 400, "unauthorized_client", NONE, "S", "misconfigured", "Application is disabled."],
  [7000114, 400, "invalid_client", NONE, "S", "misconfigured", "Application may not make on-behalf-of calls."],
  [7000114, 400, "unauthorized_client", NONE, "S", "misconfigured", "Application may not make on-behalf-of calls."],
  [7000215, 401, "invalid_client", NONE, "S", "credential_refused", "Invalid client secret provided."],
  [7000218, 401, "invalid_client", NONE, "S", "misconfigured", "The request body must contain 'client_secret'."],
  [7000222, 401, "invalid_client", NONE, "S", "credential_refused", "The provided client secret keys are expired."],
  [500011, 400, "invalid_resource", NONE, "S", "misconfigured", "The resource principal was not found."],
  [501051, 400, "invalid_grant", NONE, "S", "misconfigured", "Application is not assigned to a role."],
  [501481, 400, "invalid_grant", NONE, "R", "grant_dead", "The code_verifier does not match."],
  [50011, 400, "invalid_request", NONE, "R", "misconfigured", "redirect_uri mismatch."],
  [50020, 400, "invalid_grant", NONE, "R", "denied", "User account does not exist in tenant."],
  [50194, 400, "unauthorized_client", NONE, "S", "misconfigured", "Application is not multi-tenant."],
  [50027, 400, "invalid_request", NONE, "A", "assertion_refused", "JWT token is invalid or malformed."],
  [50027, 400, "invalid_grant", NONE, "A", "assertion_refused", "JWT token is invalid or malformed."],
  [50034, 400, "invalid_grant", NONE, "U", "denied", "The user account does not exist."],
  [50053, 400, "invalid_grant", NONE, "U", "denied", "Account is locked."],
  [50055, 400, "invalid_grant", "user_password_expired", "U", "interaction_required", "Password is expired."],
  [50057, 400, "invalid_grant", NONE, "U", "denied", "User account is disabled."],
  [50126, 400, "invalid_grant", NONE, "U", "denied", "Invalid username or password."],
  [50196, 400, "invalid_grant", NONE, "T", "throttled", "The server encountered a client request loop."],
  [54005, 400, "invalid_grant", NONE, "R", "grant_dead", "Authorization code was already redeemed."],
  [240002, 400, "invalid_request", NONE, "A", "assertion_refused", "Input id_token cannot be used."],
  [90002, 400, "invalid_request", NONE, "S", "misconfigured", "Tenant not found."],
  [90009, 400, "invalid_request", NONE, "R", "misconfigured", "Application is requesting a token for itself."],
  [90013, 400, "invalid_request", NONE, "R", "misconfigured", "Invalid input received from the user."],
  [90019, 400, "invalid_request", NONE, "R", "misconfigured", "No tenant-identifying information found."],
  [90014, 400, "invalid_request", NONE, "R", "misconfigured", "The required field is missing."],
  [900144, 400, "invalid_request", NONE, "R", "misconfigured", "The request body must contain a parameter."],
  [900023, 400, "invalid_request", NONE, "R", "misconfigured", "Specified tenant identifier is not valid."],
  [900561, 400, "invalid_request", NONE, "R", "misconfigured", "The endpoint only accepts POST requests."],
  [9001023, 400, "invalid_request", NONE, "S", "misconfigured", "The grant type is not supported over /common."],
  [9002313, 400, "invalid_grant", "bad_token", "R", "grant_dead", "Request is malformed or invalid."],
  [1002012, 400, "invalid_scope", NONE, "R", "misconfigured", "The scope must end with /.default."],
  [90006, 503, "temporarily_unavailable", NONE, "T", "unavailable", "A transient error has occurred."],
  [90033, 503, "temporarily_unavailable", NONE, "T", "unavailable", "A transient error has occurred."],
  [90090, 503, "temporarily_unavailable", NONE, "T", "unavailable", "A transient error has occurred."],
  [90055, 429, "temporarily_unavailable", NONE, "T", "throttled", "Tenant throttled."],
];

export const AADSTS_TABLE: readonly AadstsRow[] = COLUMNS.map(
  ([code, status, error, suberror, kind, expected, text]) => ({
    code,
    status,
    error,
    ...(suberror === undefined ? {} : { suberror }),
    kind,
    expected,
    text,
  }),
);

/** The classes that each kind may have. */
export const CLASSES_OF_KIND: Readonly<Record<AadstsRow["kind"], readonly CodeClass[]>> = {
  U: ["interaction_required", "consent_required", "denied", "grant_dead"],
  A: ["assertion_refused"],
  R: ["misconfigured", "grant_dead"],
  S: ["misconfigured", "credential_refused"],
  T: ["throttled", "unavailable"],
};

/** Numbers with a class that their kind does not allow, and the reason. */
export const EXCEPTIONS: ReadonlyMap<number, string> = new Map([
  [50020, "Microsoft lists a wrong request or registration; here the user chose the account"],
]);
