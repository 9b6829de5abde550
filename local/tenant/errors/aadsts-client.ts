/**
 * AADSTS codes about the application: its credential, its registration and the scopes that it may request.
 */
import { type AadstsTable, rows } from "./aadsts-row.ts";

const CREDENTIAL: AadstsTable = {
  ...rows(401, "invalid_client", {
    500112:
      "The reply address '{presented}' does not match the reply address '{expected}' provided when requesting Authorization code.",
    700021: "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation.",
    700023: "Client assertion audience claim does not match Realm issuer. Review the documentation.",
    700024:
      "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {from}, expiry time of assertion {expiry}. Review the documentation.",
    700025: "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
    700027:
      "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - {reason}] Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{app}'.",
    700211:
      "No matching federated identity record found for presented assertion issuer '{issuer}'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion.",
    700212:
      "No matching federated identity record found for presented assertion audience '{audience}'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion.",
    700213:
      "No matching federated identity record found for presented assertion subject '{subject}'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion.",
    70021:
      "No matching federated identity record found for presented assertion. Assertion Issuer: '{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: '{audience}'.",
    7000222:
      "The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.",
  }),
  7000215: {
    http: 401,
    error: "invalid_client",
    errorUri: true,
    text: "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app}'.",
  },
  7000218: {
    http: 401,
    error: "invalid_client",
    errorUri: true,
    text: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  },
};

const REGISTRATION = rows(400, "unauthorized_client", {
  50194:
    "Application '{app}'({name}) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.",
  700016:
    "Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
  700030: "Invalid certificate - subject name in certificate is not authorized.",
  700038: "{app} is not a valid application identifier.",
  7000112: "Application '{app}'({name}) is disabled.",
  7000114: "Application '{app}' is not allowed to make application on-behalf-of calls.",
});

const SCOPE = rows(400, "invalid_scope", {
  70011: "The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.",
  700022:
    "The provided value for the input parameter scope is not valid because it contains more than one resource. Scope {scope} is not valid.",
  1002012:
    "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
});

const RESOURCE: AadstsTable = {
  500011: {
    http: 400,
    error: "invalid_resource",
    errorUri: true,
    text: "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.",
  },
};

export const CLIENT_CODES: AadstsTable = { ...CREDENTIAL, ...REGISTRATION, ...SCOPE, ...RESOURCE };
