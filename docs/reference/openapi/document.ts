/**
 * Writes docs/openapi.json: the one description of the API (OpenAPI 3.1). Its names come from the readers of requests, its
 * codes from the translation of failures. A test sends every example to the service and validates the answers. Pure; not
 * part of the running service, which serves the file.
 */
import { type CodesByDialect, refusalResponses, refusalSchemas } from "./errors.ts";
import { grantPaths, grantSchemas } from "./grant-paths.ts";
import { managementPaths, managementSchemas } from "./management-paths.ts";
import { type Paths, writeOperation } from "./operation.ts";
import { relayPaths } from "./relay-paths.ts";
import type { Part, Parts } from "./schema.ts";
import { servicePaths, serviceSchemas } from "./service-paths.ts";
import { signInPaths, signInSchemas } from "./sign-in-paths.ts";
import { tokenPaths, tokenSchemas } from "./token-paths.ts";

const PATHS: Paths = {
  ...tokenPaths,
  ...relayPaths,
  ...grantPaths,
  ...managementPaths,
  ...signInPaths,
  ...servicePaths,
};

export function describeApi(version: string, codes: CodesByDialect): Part {
  return {
    openapi: "3.1.1",
    info: {
      title: "Graph Token Exchange",
      version,
      summary: "Delegated Microsoft Graph tokens for callers that must not hold a secret",
      description:
        "A route that the deployment does not configure answers 404. Every other method of a path answers 405 `method_not_allowed`.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "https://func-gte-contoso.azurewebsites.net" }],
    tags: TAGS,
    security: [{ entra_user: [] }, { entra_application: [] }],
    paths: Object.fromEntries(
      Object.entries(PATHS).map(([path, operations]) => [
        path,
        Object.fromEntries(Object.entries(operations).map(([method, input]) => [method, writeOperation(input, codes)])),
      ]),
    ),
    components: {
      securitySchemes: SECURITY_SCHEMES,
      parameters: PARAMETERS,
      headers: HEADERS,
      responses: refusalResponses(codes),
      schemas: {
        ...tokenSchemas,
        ...grantSchemas,
        ...managementSchemas,
        ...signInSchemas,
        ...serviceSchemas,
        ...refusalSchemas(codes),
      },
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

const TAGS = [
  { name: "Tokens", description: "Tokens and header objects." },
  { name: "Relay", description: "Requests to an API with a token that never leaves the service." },
  { name: "Grants", description: "What a person allows for later." },
  { name: "Management", description: "What an administrator lists and revokes." },
  { name: "Sign-in", description: "The sign-in of people with a browser, and their pages." },
  { name: "Policy", description: "What the policy allows." },
  { name: "Service", description: "Metadata, probes and pages." },
];

/** Of a deployment in the tenant contoso. The running service replaces these with its own. */
const AUTHORITY = "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0";
const APP_ID_URI = "api://contoso.onmicrosoft.com/graph-token-exchange";

const SECURITY_SCHEMES: Parts = {
  entra_user: {
    type: "oauth2",
    description: "A user's Entra token for this service.",
    flows: {
      authorizationCode: {
        authorizationUrl: `${AUTHORITY}/authorize`,
        tokenUrl: `${AUTHORITY}/token`,
        scopes: { [`${APP_ID_URI}/access_as_user`]: "Get tokens through the service on behalf of the user." },
      },
    },
  },
  entra_application: {
    type: "oauth2",
    description: "An application's own Entra token for this service, with the app role `Exchange.Call`.",
    flows: {
      clientCredentials: {
        tokenUrl: `${AUTHORITY}/token`,
        scopes: { [`${APP_ID_URI}/.default`]: "The app roles of the application." },
      },
    },
  },
  client_secret_basic: {
    type: "http",
    scheme: "basic",
    description: "The application's own client id and secret, if its policy entry lists this method.",
  },
};

const PARAMETERS: Parts = {
  api: {
    name: "api",
    in: "path",
    required: true,
    description: "API by its name in the policy.",
    example: "graph",
    schema: { type: "string" },
  },
  path: {
    name: "path",
    in: "path",
    required: true,
    description: "Path of the request to the API: one or more segments, with slashes between them.",
    example: "v1.0/me/messages",
    schema: { type: "string" },
  },
  "X-Grant": header("X-Grant", "A grant handle (`gte_…`): the token of the person who made the grant."),
  "X-Grant-Verifier": header("X-Grant-Verifier", "The verifier of a link with `codeChallenge`."),
};

const HEADERS: Parts = {
  "client-request-id": {
    description: "The caller's id of the request if it is a GUID, or a new one.",
    schema: { type: "string", format: "uuid" },
  },
  "Retry-After": { description: "Seconds.", schema: { type: "integer" } },
  "WWW-Authenticate": {
    description: "What to request from Entra (RFC 6750, RFC 9728), and its claims challenge in base64.",
    schema: { type: "string" },
  },
};

function header(name: string, description: string): Part {
  return { name, in: "header", description, schema: { type: "string" } };
}
