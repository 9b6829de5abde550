/**
 * The discovery documents of v2.0 and v1.0, and instance discovery (E-1 to E-14). They contain only observed members (E-4).
 */
import { EntraError } from "../errors/entra-error.ts";
import { CONSUMERS_TENANT_ID } from "../keys/signing-key.ts";
import type { Issuer } from "../oauth/issuers.ts";
import { resolveTenantSegment, type TenantSegment } from "../oauth/tenant-segment.ts";

const CLAIMS =
  "sub iss cloud_instance_name cloud_instance_host_name cloud_graph_host_name msgraph_host aud exp iat auth_time acr nonce preferred_username name tid ver at_hash c_hash email";
const AUTH_METHODS = ["client_secret_post", "private_key_jwt", "client_secret_basic", "self_signed_tls_client_auth"];

/** Here an unknown tenant is `invalid_tenant` (E-8). The token endpoint answers `invalid_request`. */
export function discoverySegment(segment: string): TenantSegment {
  try {
    return resolveTenantSegment(segment);
  } catch (failure) {
    if (!(failure instanceof EntraError) || failure.code !== 90002) throw failure;
    throw new EntraError(90002, { ...failure.options, error: "invalid_tenant" });
  }
}

/** The v2.0 document (E-2, E-5). With `appid`, the key set is that of the application (E-7). */
export function v2Document(tenant: Issuer, segment: TenantSegment, appId?: string): object {
  const base = `${tenant.url}/${pathSegment(tenant, segment)}`;
  return {
    token_endpoint: `${base}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: AUTH_METHODS,
    jwks_uri: `${base}/discovery/v2.0/keys${appId === undefined ? "" : `?appid=${encodeURIComponent(appId)}`}`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    issuer: `${tenant.url}/${issuerTenant(tenant, segment)}/v2.0`,
    request_uri_parameter_supported: false,
    userinfo_endpoint: `${tenant.url}/oidc/userinfo`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    claims_supported: CLAIMS.split(" "),
    kerberos_endpoint: `${base}/kerberos`,
    mtls_endpoint_aliases: { token_endpoint: `${base}/oauth2/v2.0/token` },
    tls_client_certificate_bound_access_tokens: true,
    ...commonTail(tenant, segment),
  };
}

/** The v1.0 document (E-6). */
export function v1Document(tenant: Issuer, segment: TenantSegment): object {
  const base = `${tenant.url}/${pathSegment(tenant, segment)}`;
  return {
    token_endpoint: `${base}/oauth2/token`,
    token_endpoint_auth_methods_supported: AUTH_METHODS.slice(0, 3),
    jwks_uri: `${tenant.url}/common/discovery/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "id_token", "code id_token", "token id_token", "token"],
    scopes_supported: ["openid"],
    issuer: `${tenant.url}/${issuerTenant(tenant, segment)}/`,
    microsoft_multi_refresh_token: true,
    authorization_endpoint: `${base}/oauth2/authorize`,
    device_authorization_endpoint: `${base}/oauth2/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${base}/oauth2/logout`,
    claims_supported: CLAIMS.split(" "),
    check_session_iframe: `${base}/oauth2/checksession`,
    userinfo_endpoint: `${base}/openid/userinfo`,
    ...commonTail(tenant, segment),
  };
}

/** Instance discovery (E-10, E-11). The tenant is a cloud with one host. */
export function instanceDocument(tenant: Issuer, authorizationEndpoint: string | undefined): object {
  const { host } = new URL(tenant.url);
  if (authorizationEndpoint === undefined || !URL.canParse(authorizationEndpoint)) throw new EntraError(50049);
  if (new URL(authorizationEndpoint).host !== host) throw new EntraError(50049);
  return {
    tenant_discovery_endpoint: `${tenant.url}/${tenant.tenantId}/v2.0/.well-known/openid-configuration`,
    "api-version": "1.1",
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  };
}

function commonTail(tenant: Issuer, segment: TenantSegment): object {
  const { host } = new URL(tenant.url);
  return {
    tenant_region_scope: segment === "tenant" ? "EU" : null,
    cloud_instance_name: host,
    cloud_graph_host_name: host,
    msgraph_host: host,
    rbac_url: tenant.url,
  };
}

/** The answer contains the GUID even if the request contained the domain name (E-5). */
function pathSegment(tenant: Issuer, segment: TenantSegment): string {
  return segment === "tenant" ? tenant.tenantId : segment;
}

function issuerTenant(tenant: Issuer, segment: TenantSegment): string {
  if (segment === "tenant") return tenant.tenantId;
  return segment === "consumers" ? CONSUMERS_TENANT_ID : "{tenantid}";
}
