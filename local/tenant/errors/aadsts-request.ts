/**
 * AADSTS codes about the form of the request and about the state of Entra.
 */
import { type AadstsTable, rows } from "./aadsts-row.ts";

const UNSUPPORTED = rows(400, "unsupported_grant_type", {
  70003: "The app requested an unsupported grant type '{grantType}'.",
});

const REQUEST = rows(400, "invalid_request", {
  28000:
    "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope {scope} is not valid.",
  28002: "Provided value for the input parameter scope '{scope}' is not valid when requesting an access token.",
  28003:
    "Provided value for the input parameter scope cannot be empty when requesting an access token using the provided authorization code.",
  50011:
    "The redirect URI '{presented}' specified in the request does not match the redirect URIs configured for the application '{app}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal.",
  50027: "JWT token is invalid or malformed.",
  240002: "Input id_token cannot be used as 'urn:ietf:params:oauth:grant-type:jwt-bearer' grant.",
  90009:
    "Application '{app}'({name}) is requesting a token for itself. This scenario is supported only if resource is specified using the GUID based App Identifier.",
  90013: "Invalid input received from the user.",
  90014:
    "The required field '{parameter}' is missing from the credential. Ensure that you have all the necessary parameters for the login request.",
  90019: "No tenant-identifying information found in either the request or implied by any provided credentials.",
  900023: "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
  900144: "The request body must contain the following parameter: '{parameter}'.",
  900561: "The endpoint only accepts POST requests. Received a {method} request.",
  9000411: "The request is not properly formatted. The parameter '{parameter}' is duplicated.",
  9001023:
    "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
});

const TENANT: AadstsTable = {
  90002: {
    http: 400,
    error: "invalid_request",
    errorUri: true,
    text: "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.",
  },
  50049: { http: 400, error: "invalid_instance", text: "Unknown or invalid instance." },
};

const UNAVAILABLE: AadstsTable = {
  ...rows(503, "temporarily_unavailable", {
    90006: "A transient error has occurred. Please try again.",
    90033: "A transient error has occurred. Please try again.",
    90090: "A transient error has occurred. Please try again.",
  }),
  ...rows(429, "temporarily_unavailable", {
    90055: "The tenant is being throttled because of too many incoming requests.",
  }),
};

export const REQUEST_CODES: AadstsTable = { ...UNSUPPORTED, ...REQUEST, ...TENANT, ...UNAVAILABLE };
