/** The routes that release a token: header objects, the token endpoint and the caller's own token. */
import { ACCESS_TOKEN_TYPE, JWT_BEARER, TOKEN_EXCHANGE } from "../../../shared/http/read-token-request.ts";
import { EXAMPLE } from "./example-values.ts";
import { type Paths, PUBLIC } from "./operation.ts";
import {
  content,
  FORM_TYPE,
  guid,
  JSON_TYPE,
  list,
  object,
  type Part,
  type Parts,
  parameterRef,
  query,
  schemaRef,
  text,
  time,
} from "./schema.ts";

const OVERRIDE = "optionsOverride.AcquireTokenOptions";
const scopeList = { type: "array", items: { type: "string" } };

/** The sidecar's parameters of a token: docs/sidecar.md has all of them. */
export const TOKEN_OVERRIDES: readonly Part[] = [
  query(
    "optionsOverride.Scopes",
    { ...scopeList, description: "Fewer scopes than the policy entry lists. `offline_access` asks for a grant." },
    { explode: true },
  ),
  query(`${OVERRIDE}.Claims`, text("Entra's claims challenge from an earlier answer: JSON or base64.")),
  query(`${OVERRIDE}.ForceRefresh`, {
    type: "boolean",
    description: "A new token from Entra instead of a cached one.",
  }),
  query(`${OVERRIDE}.CorrelationId`, guid("Id of the request, if no header has one.")),
  query(`${OVERRIDE}.Tenant`, text("Only the tenant of the deployment.")),
  query("optionsOverride.RequestAppToken", { type: "boolean", description: "The application's own token." }),
];

const CLAIMS = {
  description: "Entra's claims challenge: a JSON object, its text, or its base64.",
  type: ["object", "string"],
};

/** The members of the JSON body: `HEADER_MEMBERS` of the reader. */
const headerRequest = object({
  "scopes?": { ...scopeList, type: ["array", "string"], description: "Fewer scopes than the policy entry lists." },
  "grant?": text("A grant handle (`gte_…`): the token of the person who made the grant."),
  "codeVerifier?": text("The verifier of a link with `codeChallenge`.", { pattern: "^[A-Za-z0-9._~-]{43,128}$" }),
  "claims?": CLAIMS,
  "minimumSeconds?": {
    type: "integer",
    minimum: 0,
    maximum: 86_400,
    description: "The token should be valid for at least this time.",
  },
  "forceRefresh?": { type: "boolean", description: "A new token from Entra instead of a cached one." },
});

const headerObject = object(
  {
    authorizationHeader: text("Value of the header `Authorization`."),
    headers: object(
      { Authorization: text("The same value."), "Content-Type": text("The API's usual media type.") },
      { description: "Headers for requests to the API." },
    ),
    tokenType: { const: "Bearer" },
    expiresOn: time("Use the token until then."),
    expiresIn: { type: "integer", minimum: 0, description: "Seconds until `expiresOn`." },
    scopes: list({ type: "string" }, "Scopes of the token."),
    "grant?": text("Handle of a new grant. No later answer contains it."),
    "grantExpiresOn?": time("When the grant ends."),
  },
  {
    description: "A token as a header object.",
    examples: [
      {
        authorizationHeader: "Bearer eyJ0eXAiOiJKV1QiLCJhbGciOi…",
        headers: { Authorization: "Bearer eyJ0eXAiOiJKV1QiLCJhbGciOi…", "Content-Type": "application/json" },
        tokenType: "Bearer",
        expiresOn: "2026-11-22T12:22:15Z",
        expiresIn: 5160,
        scopes: ["Mail.Read", "User.Read"],
      },
    ],
  },
);

/** The forms share these parameters. RFC 6749 section 2.3, RFC 7521 section 4.2. */
export const CLIENT_PARAMETERS: Parts = {
  "client_id?": guid("Client id of the application."),
  "client_assertion?": text("The application's own Entra token, or an assertion that it signed for Entra."),
  "client_assertion_type?": { const: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" },
  "client_secret?": text("The application's own secret, if its policy entry lists this method."),
};

export const REQUESTED_TOKEN: Parts = {
  "scope?": text("Scopes of one API, separated by spaces. Not set: those that the policy entry lists."),
  "audience?": text("API by its name in the policy, or by its resource URI. May repeat."),
  "resource?": text("API by its resource URI (RFC 8707). May repeat."),
  "claims?": text("Entra's claims challenge (JSON)."),
};

/** `TOKEN_PARAMETERS` of the reader, without `access_token`, which it refuses. */
const tokenRequest = object({
  grant_type: text("What the request presents.", {
    enum: [TOKEN_EXCHANGE, JWT_BEARER, "refresh_token", "authorization_code", "client_credentials"],
  }),
  ...CLIENT_PARAMETERS,
  ...REQUESTED_TOKEN,
  "subject_token?": text("token-exchange: the user's token for this service."),
  "subject_token_type?": text("token-exchange: type of the user's token.", {
    enum: [ACCESS_TOKEN_TYPE, "urn:ietf:params:oauth:token-type:jwt"],
  }),
  "actor_token?": text("token-exchange: the token of the application, if another method authenticates the client."),
  "actor_token_type?": text("Required with `actor_token`."),
  "requested_token_type?": { const: ACCESS_TOKEN_TYPE },
  "assertion?": text("jwt-bearer: the user's token for this service."),
  "requested_token_use?": { const: "on_behalf_of" },
  "refresh_token?": text("refresh_token: a grant handle, or a refresh token of Entra to import."),
  "code?": text("authorization_code: the code of the redirect."),
  "redirect_uri?": text("authorization_code: as in the pushed request.", { format: "uri" }),
  "code_verifier?": text("authorization_code: the PKCE verifier. refresh_token: the verifier of the grant's link."),
});

const tokenResponse = object(
  {
    access_token: text("The token."),
    token_type: { const: "Bearer" },
    issued_token_type: { const: ACCESS_TOKEN_TYPE },
    expires_in: { type: "integer", minimum: 0, description: "Seconds." },
    "scope?": text("Scopes of the token, separated by spaces."),
    "refresh_token?": text("Handle of a new grant. No later answer contains it."),
    "grant_expires_on?": time("When the grant ends."),
  },
  {
    description: "RFC 6749 section 5.1, RFC 8693 section 2.2.1.",
    examples: [
      {
        access_token: "eyJ0eXAiOiJKV1QiLCJhbGciOi…",
        token_type: "Bearer",
        issued_token_type: ACCESS_TOKEN_TYPE,
        expires_in: 5160,
        scope: "Mail.Read User.Read",
      },
    ],
  },
);

export const tokenSchemas: Parts = {
  HeaderRequest: headerRequest,
  HeaderObject: headerObject,
  TokenRequest: tokenRequest,
  TokenResponse: tokenResponse,
};

const answer = { "200": { description: "The header object.", ...content(JSON_TYPE, schemaRef("HeaderObject")) } };
const headerBody = (examples: Parts) => ({
  required: false,
  description: "Without a JSON object, the request is read like a GET.",
  ...content(JSON_TYPE, schemaRef("HeaderRequest"), { examples }),
});
const api = parameterRef("api");
const APPLICATION = [{ entra_application: [] }];
const SIDECAR = "The wire format of Microsoft's Entra auth sidecar.";

const validation = object(
  {
    protocol: { const: "Bearer" },
    token: text("The caller's token."),
    claims: { type: "object", description: "The claims of the token.", additionalProperties: true },
  },
  { description: "The caller's own token." },
);
const validated = { "200": { description: "The token is valid.", ...content(JSON_TYPE, validation) } };

export const tokenPaths: Paths = {
  "/AuthorizationHeader/{api}": {
    get: {
      id: "getHeader",
      tag: "Tokens",
      summary: "Get a header object for the calling user",
      description: SIDECAR,
      dialect: "problem",
      parameters: [api, ...TOKEN_OVERRIDES],
      answers: answer,
    },
    post: {
      id: "createHeader",
      tag: "Tokens",
      summary: "Get a header object, also from a grant",
      dialect: "problem",
      parameters: [api],
      body: headerBody({
        fewerScopes: { value: { scopes: ["User.Read"], minimumSeconds: 600 } },
        newGrant: { value: { scopes: ["offline_access"] } },
        fromGrant: { value: { grant: EXAMPLE.handle } },
      }),
      answers: answer,
    },
  },
  "/AuthorizationHeaderUnauthenticated/{api}": {
    get: {
      id: "getApplicationHeader",
      tag: "Tokens",
      summary: "Get a header object with the application's own token",
      description: `${SIDECAR} The caller authenticates here as everywhere.`,
      dialect: "problem",
      security: APPLICATION,
      parameters: [api, ...TOKEN_OVERRIDES],
      answers: answer,
    },
    post: {
      id: "createApplicationHeader",
      tag: "Tokens",
      summary: "Get a header object with the application's own token",
      dialect: "problem",
      security: APPLICATION,
      parameters: [api],
      body: headerBody({ longer: { value: { minimumSeconds: 600 } } }),
      answers: answer,
    },
  },
  "/oauth2/token": {
    post: {
      id: "requestToken",
      tag: "Tokens",
      summary: "Request a token at the OAuth 2.0 token endpoint",
      description:
        "RFC 6749, RFC 8693 (token exchange) and RFC 7523 (on-behalf-of). A user's token authenticates itself.",
      dialect: "oauth",
      security: [{ entra_application: [] }, { client_secret_basic: [] }, ...PUBLIC],
      body: {
        required: true,
        ...content(FORM_TYPE, schemaRef("TokenRequest"), {
          examples: {
            tokenExchange: {
              value: {
                grant_type: TOKEN_EXCHANGE,
                audience: "graph",
                subject_token: EXAMPLE.userToken,
                subject_token_type: ACCESS_TOKEN_TYPE,
              },
            },
            onBehalfOf: {
              value: {
                grant_type: JWT_BEARER,
                requested_token_use: "on_behalf_of",
                scope: "https://graph.microsoft.com/User.Read",
                assertion: EXAMPLE.userToken,
              },
            },
            fromGrant: { value: { grant_type: "refresh_token", refresh_token: EXAMPLE.handle } },
            application: {
              value: { grant_type: "client_credentials", scope: "https://graph.microsoft.com/.default" },
            },
          },
        }),
      },
      answers: { "200": { description: "The token.", ...content(JSON_TYPE, schemaRef("TokenResponse")) } },
    },
  },
  "/Validate": {
    get: {
      id: "validateToken",
      tag: "Tokens",
      summary: "Get the caller's own token, validated and decoded",
      description: SIDECAR,
      dialect: "problem",
      answers: validated,
    },
    post: {
      id: "validateTokenByPost",
      tag: "Tokens",
      summary: "Get the caller's own token, validated and decoded",
      dialect: "problem",
      answers: validated,
    },
  },
};
