/**
 * AADSTS codes of the pages `/authorize`, `/devicelogin` and `/logout`, for the page or the redirect.
 * Texts: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
import { type AadstsTable, rows } from "./aadsts-row.ts";

export const SIGN_IN_CODES: AadstsTable = {
  ...rows(400, "login_required", {
    50058:
      "A silent sign-in request was sent but no user is signed in. The cookies used to represent the user's session were not sent in the request to Azure AD.",
  }),
  ...rows(400, "interaction_required", {
    16000:
      "Either multiple user identities are available for the current request or selected account is not supported for the scenario.",
  }),
  ...rows(400, "access_denied", {
    50074: "Strong Authentication is required.",
  }),
  ...rows(400, "invalid_client", {
    650053:
      "The application '{name}' asked for scope '{scope}' that doesn't exist on the resource '{resource}'. Contact the app vendor.",
  }),
  ...rows(400, "unsupported_response_type", {
    700051: "response_type '{responseType}' is not enabled for the application.",
    700054: "response_type '{responseType}' is not enabled for the application.",
  }),
  ...rows(400, "invalid_request", {
    50012: "The sign-in cannot continue: it started too long ago or in another browser. Start again.",
    501491: "Invalid size of Code_Challenge parameter.",
    90023: "Unsupported '{parameter}' value.",
    900971: "No reply address provided.",
  }),
};
