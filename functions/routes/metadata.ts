import { listedMethods } from "../../shared/client-authentication/listed-methods.ts";
import { callerScopes } from "../../shared/core/caller-permissions.ts";
import { succeed } from "../../shared/core/result.ts";
import { grantTypesOf } from "../../shared/http/read-token-request.ts";
import type { Policy } from "../../shared/policy/rules.ts";
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
  return metadataRoute("authorization-server", ".well-known/oauth-authorization-server", serverMetadata(config));
}

/**
 * `GET /.well-known/openid-configuration`: answers the same document at the address where the discovery of many libraries
 * looks first, with the members that OpenID Connect Discovery 1.0 section 3 requires. The service is no OpenID provider:
 * it issues no ID tokens and signs nothing, so the lists and the key set are empty. Section 4.2 says that members
 * with zero elements must be omitted: docs/conformance.md has this difference.
 */
export function openIdConfigurationRoute({ config }: Service): Route {
  return metadataRoute("openid-configuration", ".well-known/openid-configuration", {
    ...serverMetadata(config),
    jwks_uri: `${config.serviceUrl}/${KEY_SET_PATH}`,
    subject_types_supported: [],
    id_token_signing_alg_values_supported: [],
  });
}

/**
 * `GET /.well-known/jwks.json`: answers an empty key set (RFC 7517 section 5). IdentityModel refuses a document without
 * `jwks_uri`, and one whose `jwks_uri` is on another host (GW-4).
 */
export function keySetRoute(): Route {
  return metadataRoute("key-set", KEY_SET_PATH, { keys: [] });
}

// ------------------------------------------------------------------------------------------------------------------

const KEY_SET_PATH = ".well-known/jwks.json";

function serverMetadata({ serviceUrl, policy }: Service["config"]): Record<string, unknown> {
  const flows = new Set(policy.callers.flatMap((entry) => entry.flows));
  const own = ownMethods(policy);
  const withSubject = listedMethods(policy).has("ignored_with_subject") ? SECRET_METHODS : [];
  return {
    issuer: serviceUrl,
    token_endpoint: `${serviceUrl}/oauth2/token`,
    token_endpoint_auth_methods_supported: [NO_CLIENT, CLIENT_ASSERTION, ...new Set([...own, ...withSubject])],
    ...(own.includes(PRIVATE_KEY_JWT)
      ? { token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS }
      : {}),
    grant_types_supported: grantTypesOf(flows),
    revocation_endpoint: `${serviceUrl}/oauth2/revoke`,
    revocation_endpoint_auth_methods_supported: [CLIENT_ASSERTION, ...own],
    ...(own.includes(PRIVATE_KEY_JWT)
      ? { revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS }
      : {}),
    ...(hasCodeFlow(policy) ? codeFlowMetadata(serviceUrl) : NO_CODE_FLOW),
  };
}

/** The registered methods that at least one entry lists. */
function ownMethods(policy: Policy): string[] {
  const listed = listedMethods(policy);
  return [
    ...(listed.has("entra_secret") ? SECRET_METHODS : []),
    ...(listed.has("entra_assertion") ? [PRIVATE_KEY_JWT] : []),
  ];
}

const SECRET_METHODS = ["client_secret_basic", "client_secret_post"];
const PRIVATE_KEY_JWT = "private_key_jwt";
/**
 * RFC 8414 section 2 requires this list with `private_key_jwt`. Entra verifies these two:
 * https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */
const ASSERTION_ALGORITHMS = ["PS256", "RS256"];

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

/** RFC 8414 section 2 requires this member; section 3.2 omits empty lists (docs/conformance.md). */
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
