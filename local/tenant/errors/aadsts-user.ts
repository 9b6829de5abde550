/**
 * AADSTS codes about the user and the presented assertion, password, code or refresh token, and about conditional access.
 */
import { type AadstsTable, rows } from "./aadsts-row.ts";

/** The conditional access policy of the captured body (E-64, CC-8). */
const CAPOLIDS = '{"access_token":{"capolids":{"essential":true,"values":["c0a1b000-0000-4000-8000-000000000001"]}}}';
const DEVICE = "Conditional Access policy requires a";
const REFUSED = { http: 400, error: "invalid_grant" } as const;
const INTERACTION = { http: 400, error: "interaction_required" } as const;

const CONDITIONAL_ACCESS: AadstsTable = {
  50076: {
    ...REFUSED,
    suberror: "basic_action",
    errorUri: true,
    claims: CAPOLIDS,
    text: "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '{resource}'.",
  },
  50079: {
    ...REFUSED,
    suberror: "basic_action",
    claims: CAPOLIDS,
    text: "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '{resource}'.",
  },
  50158: {
    ...INTERACTION,
    text: "External security challenge not satisfied. User will be redirected to another page or authentication provider to satisfy additional authentication challenges.",
  },
  53000: {
    ...INTERACTION,
    suberror: "message_only",
    text: `Device is not in required device state: {state}. ${DEVICE} compliant device, and the device is not compliant. The user must enroll their device with an approved MDM provider like Intune.`,
  },
  53001: {
    ...INTERACTION,
    suberror: "message_only",
    text: `Device is not in required device state: {state}. ${DEVICE} domain joined device, and the device is not domain joined.`,
  },
  53002: {
    ...INTERACTION,
    suberror: "message_only",
    text: "Application is not an approved app for Conditional Access. The user needs to use one of the apps from the list of approved apps to use in order to get access.",
  },
  53003: {
    ...REFUSED,
    suberror: "message_only",
    text: "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
  },
  50105: {
    ...REFUSED,
    text: "Your administrator has configured the application {name} ('{app}') to block users unless they are specifically granted ('assigned') access to the application. The signed in user '{user}' is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator. Please contact your administrator to assign access to this application.",
  },
  65001: {
    ...REFUSED,
    suberror: "consent_required",
    errorUri: true,
    text: "The user or administrator has not consented to use the application with ID '{app}' named '{name}'. Send an interactive authorization request for this user and resource.",
  },
  65004: {
    http: 400,
    error: "access_denied",
    suberror: "cancel",
    text: "User declined to consent to access the app.",
  },
};

const WITH_SUBERROR: AadstsTable = {
  50055: { ...REFUSED, suberror: "user_password_expired", text: "The password is expired." },
  50173: {
    ...REFUSED,
    suberror: "bad_token",
    text: "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '{issued}' and the TokensValidFrom date (before which tokens are not valid) for this user is '{validFrom}'.",
  },
  700082: {
    ...REFUSED,
    suberror: "bad_token",
    errorUri: true,
    text: "The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for 90.00:00:00.",
  },
  70043: {
    ...REFUSED,
    suberror: "token_expired",
    text: "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token was issued on {issued} and the maximum allowed lifetime for this request is {lifetime}.",
  },
  9002313: {
    ...REFUSED,
    suberror: "bad_token",
    errorUri: true,
    text: "Invalid request. Request is malformed or invalid.",
  },
};

const GRANTS = rows(400, "invalid_grant", {
  50013: "Assertion failed signature validation. [Reason - {reason}]",
  500131:
    "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was '{audience}' and the expected audience is '{app}' or one of the Application Uris of this application with App ID '{app}'({name}). The downstream client must request a token for the expected audience (the application that made the OBO request) and this application should use that token as the assertion.",
  500133:
    "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user assertion, or request a new token. Current time: {now}, expiry time of assertion {expiry}.",
  50020:
    "User account '{user}' from identity provider '{idp}' does not exist in tenant '{tenant}' and cannot access the application '{app}'({name}) in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Azure Active Directory user account.",
  50034:
    "The user account {user} does not exist in the {tenant} directory. To sign into this application, the account must be added to the directory.",
  50053: "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
  50057: "The user account is disabled.",
  50126: "Error validating credentials due to invalid username or password.",
  50196:
    "The server terminated an operation because it encountered a client request loop. Please contact your app vendor.",
  501051: "Application '{app}'({name}) is not assigned to a role for the application '{resource}'({resourceName}).",
  501481: "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
  54005:
    "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
  70000: "Provided grant is invalid or malformed.",
  70008:
    "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
  700084:
    "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which cannot be extended. It is now expired and a new sign in request must be sent by the SPA to the sign in page. The token was issued on {issued}.",
});

const DEVICE_CODE: AadstsTable = {
  ...rows(400, "authorization_pending", {
    70016: "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
  }),
  ...rows(400, "bad_verification_code", { 70018: "Invalid verification code due to User typing in wrong user code." }),
  ...rows(400, "expired_token", {
    70019: "Verification code expired. Have the user retry the sign-in.",
    70020:
      "The provided value for the input parameter 'device_code' is not valid. This device code has expired. Start the login flow again.",
  }),
};

export const USER_CODES: AadstsTable = { ...CONDITIONAL_ACCESS, ...WITH_SUBERROR, ...GRANTS, ...DEVICE_CODE };
