import { callerScopes } from "../../shared/core/caller-permissions.ts";
import { succeed } from "../../shared/core/result.ts";
import { grantTypesOf } from "../../shared/http/read-token-request.ts";
import type { Service } from "../composition/compose.ts";
import { hasCodeFlow } from "../composition/sign-in.ts";
import type { Route } from "../handle.ts";

/**
 * `GET /.well-known/oauth-protected-resource`: answers the RFC 9728 metadata: who issues tokens for this service. A 401
 * names this URL. It lists the scope of every registration, the default one first.
 */
export function protectedResourceRoute({ config }: Service): Route {
  return metadataRoute("protected-resource", ".well-known/oauth-protected-resource", {
    resource: config.serviceUrl,
    authorization_servers: [`${config.cloud.authorityHost}/${config.tenantId}/v2.0`],
    scopes_supported: config.registrations.map(({ appIdUri }) => callerScopes(appIdUri).user),
    bearer_methods_supported: ["header"],
  });
}

/**
 * `GET /.well-known/oauth-authorization-server`: answers the RFC 8414 metadata of this service as an issuer of tokens
 * for other APIs. It lists only what at least one policy entry may use.
 */
export function authorizationServerRoute({ config }: Service): Route {
  const { serviceUrl, policy } = config;
  const flows = new Set(policy.callers.flatMap((entry) => entry.flows));
  return metadataRoute("authorization-server", ".well-known/oauth-authorization-server", {
    issuer: serviceUrl,
    token_endpoint: `${serviceUrl}/oauth2/token`,
    token_endpoint_auth_methods_supported: [NO_CLIENT, CLIENT_ASSERTION],
    grant_types_supported: grantTypesOf(flows),
    revocation_endpoint: `${serviceUrl}/oauth2/revoke`,
    revocation_endpoint_auth_methods_supported: [CLIENT_ASSERTION],
    ...(hasCodeFlow(policy) ? codeFlowMetadata(serviceUrl) : NO_CODE_FLOW),
  });
}

// ------------------------------------------------------------------------------------------------------------------

/** A user exchanges its own token. No client authenticates. */
const NO_CLIENT = "none";

/**
 * An application authenticates with an Entra token, either as a bearer token (for which no method name exists) or as a
 * client assertion of this type. No registered method name fits: `private_key_jwt` would allow assertions that the
 * client signs, and an absent member would mean `client_secret_basic` (RFC 8414 section 2). RFC 7591 section 2 allows
 * an absolute URI as the name of a method. This URI is the `client_assertion_type` to send (RFC 7523 section 2.2).
 */
const CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** RFC 8414 with RFC 7636 section 6.2, RFC 9126 section 5 and RFC 9207 section 3. */
function codeFlowMetadata(serviceUrl: string) {
  return {
    authorization_endpoint: `${serviceUrl}/oauth2/authorize`,
    pushed_authorization_request_endpoint: `${serviceUrl}/oauth2/par`,
    require_pushed_authorization_requests: true,
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
  };
}

/** RFC 8414 section 2 requires this member even without an authorization endpoint. */
const NO_CODE_FLOW = { response_types_supported: [] };

/** A route that answers a constant, public JSON document. */
function metadataRoute(name: string, template: string, content: Record<string, unknown>): Route {
  const body = JSON.stringify(content);
  return {
    name,
    template,
    methods: ["GET"],
    dialect: "problem",
    audit: "none",
    run: () =>
      Promise.resolve(
        succeed({
          status: 200,
          headers: { "Content-Type": "application/json", "Cache-Control": "public, max-age=3600" },
          body,
        }),
      ),
  };
}
