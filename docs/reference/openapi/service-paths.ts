/** Policy questions, metadata, probes and pages of the service itself. */
import * as z from "zod/mini";
import { linkQuestion, requestQuestion } from "../../../shared/http/read-policy-question.ts";
import { DAEMON_CLIENT, WEB_CLIENT } from "./example-values.ts";
import { type Paths, PUBLIC } from "./operation.ts";
import { content, HTML_TYPE, JSON_TYPE, list, object, type Part, type Parts, schemaRef, text } from "./schema.ts";

/** What zod writes, without its own `$schema`. */
function fromZod(schema: z.core.$ZodType): Part {
  const { $schema: _, ...part } = z.toJSONSchema(schema, { io: "input", target: "draft-2020-12" });
  return part;
}

const apiAllowance: Parts = {
  api: object({
    name: text("Name in the policy."),
    resource: text("Resource URI."),
    contentType: text("Media type of its bodies."),
    "baseUrl?": text("Where the relay sends requests.", { format: "uri" }),
    scopeDescriptions: { type: "object", additionalProperties: { type: "string" } },
  }),
  scopes: list({ type: "string" }, "Scopes that the service requests from Entra."),
  releasable: list({ type: "string" }, "Scopes that the caller may get."),
  acceptSurplus: { type: "boolean", description: "A token may have further scopes." },
};

const decision = {
  description: "What the policy decides, and which rule decides.",
  oneOf: [
    object({
      allowed: { const: true },
      ...apiAllowance,
      entry: text("Name of the policy entry."),
      registration: text("Name of its registration."),
      flow: text("The flow."),
      also: list(object(apiAllowance), "Further APIs of the grant."),
      offlineAccess: { type: "boolean", description: "The request makes a grant." },
      grantMaxDays: { type: "integer" },
      maxGrantsPerUser: { type: "integer", description: "Grants of one person at a time." },
      "keepAliveDays?": { type: "integer", description: "Idle days after which the service redeems a grant itself." },
      requireConfirmation: { type: "boolean", description: "The confirmation page before every authorization code." },
      importRefreshTokens: { type: "boolean" },
      cae: { type: "boolean", description: "Long-lived tokens that the API may challenge." },
      bypassPerMinute: { type: "integer", description: "Cache bypasses for each user." },
      missesPerMinute: { type: "integer", description: "Requests for each user that the cache cannot answer." },
      "requiresOneOf?": list({ type: "string" }, "Of a link: one of these members names its person or session."),
      "linkMinutes?": { type: "integer", description: "Of a link: how long it is valid." },
      "downstream?": { type: "object", description: "The rule that allows the call.", additionalProperties: true },
    }),
    object(
      { allowed: { const: false }, reason: text("The rule, as a code of docs/troubleshooting.md.") },
      { additionalProperties: true },
    ),
  ],
};

const credential = object({
  state: text("`ready`, or what is wrong."),
  "version?": text("Version of the secret or certificate in the vault."),
  "daysToExpiry?": { type: "integer" },
});
const state = text("Of the dependency.", { enum: ["ok", "unavailable", "not_configured"] });
const readiness = object({
  status: text("Whether the service can work.", { enum: ["ready", "not_ready"] }),
  version: text("Version and commit of the package."),
  "checks?": object(
    {
      policy: object({
        state: text("Of the newest version.", { enum: ["ok", "refused", "unavailable"] }),
        "hash?": text("Of the version in use."),
        "reason?": text("Why it could not be read."),
        "problems?": list({ type: "string" }, "Why it is refused."),
      }),
      keys: state,
      credential,
      "registrationCredentials?": { type: "object", additionalProperties: credential },
      "applicationCredential?": credential,
      sealingKey: state,
      grantStore: state,
    },
    { description: "Only for callers with the app role `Policy.Explain`." },
  ),
});

const methods = list({ type: "string" }, "Methods of client authentication.");
const serverMetadata: Parts = {
  issuer: text("The service.", { format: "uri" }),
  token_endpoint: text("URL.", { format: "uri" }),
  token_endpoint_auth_methods_supported: methods,
  "token_endpoint_auth_signing_alg_values_supported?": list({ type: "string" }, "Algorithms."),
  grant_types_supported: list({ type: "string" }, "Grant types that at least one policy entry may use."),
  revocation_endpoint: text("URL.", { format: "uri" }),
  revocation_endpoint_auth_methods_supported: methods,
  "revocation_endpoint_auth_signing_alg_values_supported?": list({ type: "string" }, "Algorithms."),
  response_types_supported: list({ type: "string" }, "`code`, or none."),
  "authorization_endpoint?": text("URL.", { format: "uri" }),
  "pushed_authorization_request_endpoint?": text("URL.", { format: "uri" }),
  "require_pushed_authorization_requests?": { const: true },
  "response_modes_supported?": list({ type: "string" }, "`query`."),
  "code_challenge_methods_supported?": list({ type: "string" }, "`S256`."),
  "authorization_response_iss_parameter_supported?": { const: true },
};

export const serviceSchemas: Parts = {
  PolicyQuestion: {
    description: "A request, or a sign-in link.",
    oneOf: [fromZod(requestQuestion), fromZod(linkQuestion)],
  },
  PolicyDecision: decision,
  Readiness: readiness,
};

const user = { kind: "user", clientId: WEB_CLIENT };
const ready = (description: string) => ({ description, ...content(JSON_TYPE, schemaRef("Readiness")) });
const OPTIONAL_TOKEN = [...PUBLIC, { entra_user: [] }, { entra_application: [] }];

function metadata(id: string, summary: string, schema: Part): Paths[string] {
  const answers = { "200": { description: "The document.", ...content(JSON_TYPE, schema) } };
  return { get: { id, tag: "Service", summary, dialect: "problem", security: PUBLIC, answers } };
}

export const servicePaths: Paths = {
  "/policy/explain": {
    post: {
      id: "explainPolicy",
      tag: "Policy",
      summary: "Ask what a caller would get, and which rule decides",
      description: "Needs the app role `Policy.Explain`.",
      dialect: "problem",
      body: {
        required: true,
        ...content(JSON_TYPE, schemaRef("PolicyQuestion"), {
          examples: {
            token: { value: { caller: user, flow: "on-behalf-of", api: "graph" } },
            call: {
              value: { caller: user, flow: "on-behalf-of", api: "graph", call: { method: "GET", path: "/v1.0/me" } },
            },
            grant: {
              value: {
                caller: { kind: "application", clientId: DAEMON_CLIENT },
                flow: "refresh-token",
                grant: [{ api: "graph", scopes: ["User.Read"] }],
              },
            },
            link: { value: { link: { caller: "daemon", apis: { graph: [] } } } },
          },
        }),
      },
      answers: { "200": { description: "The decision.", ...content(JSON_TYPE, schemaRef("PolicyDecision")) } },
    },
  },
  "/": {
    get: {
      id: "showHome",
      tag: "Service",
      summary: "Show what this is",
      dialect: "page",
      security: PUBLIC,
      answers: { "200": { description: "A page.", ...content(HTML_TYPE, { type: "string" }) } },
    },
    head: {
      id: "checkHome",
      tag: "Service",
      summary: "The same without the page",
      dialect: "page",
      security: PUBLIC,
      answers: { "200": { description: "Always." } },
    },
  },
  "/healthz": {
    get: {
      id: "getHealth",
      tag: "Service",
      summary: "Whether the process runs",
      dialect: "problem",
      security: PUBLIC,
      answers: { "200": { description: "It runs.", ...content("text/plain", { const: "Healthy" }) } },
    },
    head: {
      id: "checkHealth",
      tag: "Service",
      summary: "The same without a body",
      dialect: "problem",
      security: PUBLIC,
      answers: { "200": { description: "It runs." } },
    },
  },
  "/ready": {
    get: {
      id: "getReadiness",
      tag: "Service",
      summary: "Whether the service can work now",
      dialect: "problem",
      security: OPTIONAL_TOKEN,
      answers: { "200": ready("It can.") },
      refusals: { "401": { $ref: "#/components/responses/Problem401" }, "503": ready("It cannot.") },
    },
    head: {
      id: "checkReadiness",
      tag: "Service",
      summary: "The same without a body",
      dialect: "problem",
      security: OPTIONAL_TOKEN,
      answers: { "200": { description: "It can." }, "503": { description: "It cannot." } },
      refusals: { "401": { description: "The token is refused." } },
    },
  },
  "/openapi.json": metadata("getDescription", "Get this description", { type: "object", additionalProperties: true }),
  "/.well-known/oauth-protected-resource": metadata(
    "getProtectedResource",
    "Get where callers get tokens for this service (RFC 9728)",
    object({
      resource: text("The service.", { format: "uri" }),
      authorization_servers: list({ type: "string", format: "uri" }, "Entra."),
      scopes_supported: list({ type: "string" }, "The scope of each registration, the default one first."),
      bearer_methods_supported: list({ const: "header" }, "Where the token is sent."),
    }),
  ),
  "/.well-known/oauth-authorization-server": metadata(
    "getAuthorizationServer",
    "Get what the token endpoint supports (RFC 8414)",
    object(serverMetadata),
  ),
  "/.well-known/openid-configuration": metadata(
    "getOpenIdConfiguration",
    "Get the same where many libraries look first",
    object({
      ...serverMetadata,
      jwks_uri: text("URL.", { format: "uri" }),
      subject_types_supported: { type: "array", maxItems: 0 },
      id_token_signing_alg_values_supported: { type: "array", maxItems: 0 },
    }),
  ),
  "/.well-known/jwks.json": metadata(
    "getKeySet",
    "Get the empty key set: the service signs nothing",
    object({ keys: { type: "array", maxItems: 0 } }),
  ),
};
