import { GRANT_TYPE_NAMES } from "../../shared/http/read-token-request.ts";
import { succeed } from "../../shared/result.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";

/** RFC 9728: where tokens for this service come from. A 401 points here. */
export function protectedResourceRoute({ config }: Service): Route {
  return document("protected-resource", ".well-known/oauth-protected-resource", {
    resource: config.serviceUrl,
    authorization_servers: [`${config.cloud.authorityHost}/${config.tenantId}/v2.0`],
    scopes_supported: [`api://${config.delegated.clientId}/access_as_user`],
    bearer_methods_supported: ["header"],
  });
}

/** RFC 8414: this service as the issuer of tokens for other APIs. Only live routes. */
export function authorizationServerRoute({ config }: Service): Route {
  const { serviceUrl } = config;
  return document("authorization-server", ".well-known/oauth-authorization-server", {
    issuer: serviceUrl,
    token_endpoint: `${serviceUrl}/oauth2/token`,
    token_endpoint_auth_methods_supported: ["private_key_jwt"],
    token_endpoint_auth_signing_alg_values_supported: ["RS256"],
    grant_types_supported: GRANT_TYPE_NAMES,
    revocation_endpoint: `${serviceUrl}/oauth2/revoke`,
    // RFC 8414 section 2 requires the member even where, as here, no authorization endpoint exists.
    response_types_supported: [],
    protected_resources: [serviceUrl],
  });
}

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
