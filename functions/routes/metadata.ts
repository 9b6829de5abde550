import { GRANT_TYPE_NAMES } from "../../shared/http/read-token-request.ts";
import { succeed } from "../../shared/result.ts";
import type { Service } from "../composition/compose.ts";
import { hasCodeFlow } from "../composition/sign-in.ts";
import type { Route } from "../handle.ts";

/** RFC 9728: where tokens for this service come from. A 401 points here. */
export function protectedResourceRoute({ config }: Service): Route {
  return document("protected-resource", ".well-known/oauth-protected-resource", {
    resource: config.serviceUrl,
    authorization_servers: [`${config.cloud.authorityHost}/${config.tenantId}/v2.0`],
    scopes_supported: [`${config.appIdUri}/access_as_user`],
    bearer_methods_supported: ["header"],
  });
}

/** RFC 8414: this service as the issuer of tokens for other APIs. Only live routes. */
export function authorizationServerRoute({ config }: Service): Route {
  const { serviceUrl } = config;
  const codeFlow = hasCodeFlow(config.policy);
  return document("authorization-server", ".well-known/oauth-authorization-server", {
    issuer: serviceUrl,
    token_endpoint: `${serviceUrl}/oauth2/token`,
    token_endpoint_auth_methods_supported: ["private_key_jwt"],
    token_endpoint_auth_signing_alg_values_supported: ["RS256"],
    grant_types_supported: GRANT_TYPE_NAMES.filter((name) => codeFlow || name !== "authorization_code"),
    revocation_endpoint: `${serviceUrl}/oauth2/revoke`,
    ...(codeFlow ? codeFlowMetadata(serviceUrl) : NO_CODE_FLOW),
    protected_resources: [serviceUrl],
  });
}

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

/** RFC 8414 section 2 requires the member even where no authorization endpoint exists. */
const NO_CODE_FLOW = { response_types_supported: [] };

/** A constant, public document. */
function document(name: string, template: string, content: Record<string, unknown>): Route {
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
