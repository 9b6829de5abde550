/**
 * The success bodies of the token endpoint, with exactly the observed members. The v1 endpoint writes numbers as strings.
 */
import type { AppGrant, GrantRequest, GrantTenant, UserGrant } from "../grants/grant.ts";
import { signCompact } from "../keys/compact-jws.ts";
import { type AccessTokenInput, buildAccessToken, tokenLifetimeSeconds } from "../oauth/access-token.ts";
import { buildIdToken } from "../oauth/id-token.ts";
import { sealRefreshToken } from "../oauth/refresh-token.ts";
import { assertClaimsMet, assertRequirementsMet, parseClaimsRequest, type Requirement } from "../oauth/requirements.ts";
import { grantScopes, toScopeText } from "../oauth/scopes.ts";

export interface TokenTenant extends GrantTenant {
  readonly requirements: readonly Requirement[];
}

export interface TokenContext extends GrantRequest {
  readonly tenant: TokenTenant;
}

export type EndpointVersion = 1 | 2;

/** Contains no `scope` and no `refresh_token` (E-45). */
export function appTokenBody(context: TokenContext, grant: AppGrant, version: EndpointVersion) {
  const { capabilities } = parseClaimsRequest(context.form.get("claims"));
  const issued = issue(context.tenant, { ...context, ...grant, capabilities, satisfied: [] });
  return { ...times(context.tenant, issued, version, grant.audience), access_token: issued.token };
}

/** The body of a user token (E-46, E-47). */
export function userTokenBody(context: TokenContext, grant: UserGrant, version: EndpointVersion) {
  const { tenant, client, form } = context;
  const { user, request, satisfied } = grant;
  const subject = { user, client, resource: request.resource, satisfied };
  assertClaimsMet(form.get("claims"), subject);
  assertRequirementsMet(tenant.requirements, subject);
  const scopes = grantScopes(tenant, client, user.oid, request);
  const { capabilities } = parseClaimsRequest(form.get("claims"));
  const { resource, audience } = request;
  const issued = issue(tenant, { ...context, user, resource, audience, scopes, capabilities, satisfied });
  const body: Record<string, unknown> = {
    ...times(tenant, issued, version, audience),
    scope: toScopeText(scopes, request),
    access_token: issued.token,
  };
  if (version === 1 || issuesRefreshToken(context, grant)) {
    const record = { userOid: user.oid, clientId: client.clientId, issuedAtMs: tenant.clock.stampMs() };
    body["refresh_token"] = sealRefreshToken(tenant, { ...record, scope: request.text, satisfied });
  }
  if (request.oidc.has("openid")) body["id_token"] = idToken(context, grant);
  if (form.get("client_info") === "1") body["client_info"] = clientInfo(user.oid, tenant.tenantId);
  return body;
}

interface IssuedToken {
  token: string;
  lifetimeSeconds: number;
  refreshInSeconds: number | undefined;
}

function issue(tenant: TokenTenant, input: Omit<AccessTokenInput, "lifetimeSeconds">): IssuedToken {
  const key = tenant.keys.signerFor(input.resource.clientId);
  const lifetimeSeconds = tokenLifetimeSeconds(input.resource, input.capabilities);
  const { header, payload } = buildAccessToken(tenant, { ...input, lifetimeSeconds }, key);
  const long = lifetimeSeconds > 2 * 3_600;
  return {
    token: signCompact(header, payload, key.privateKey),
    lifetimeSeconds,
    refreshInSeconds: long ? Math.floor(lifetimeSeconds / 2) : undefined,
  };
}

function times(tenant: TokenTenant, issued: IssuedToken, version: EndpointVersion, resource: string) {
  const { lifetimeSeconds, refreshInSeconds } = issued;
  const now = tenant.clock.nowSeconds();
  const base = {
    token_type: "Bearer",
    expires_in: lifetimeSeconds,
    ext_expires_in: lifetimeSeconds,
    ...(refreshInSeconds === undefined ? {} : { refresh_in: refreshInSeconds }),
  };
  if (version === 2) return base;
  const strings = Object.fromEntries(Object.entries(base).map(([name, value]) => [name, String(value)]));
  return { ...strings, expires_on: String(now + lifetimeSeconds), not_before: String(now - 300), resource };
}

/** Issues a refresh token only if the request and the consent include offline access. */
function issuesRefreshToken({ tenant, client }: TokenContext, { user, request }: UserGrant): boolean {
  if (!request.oidc.has("offline_access")) return false;
  const graph = tenant.directory.registration("graph")?.clientId ?? "";
  return tenant.directory.consentedScopes(client.clientId, graph, user.oid).includes("offline_access");
}

function idToken({ tenant, client }: TokenContext, { user, request, nonce }: UserGrant): string {
  const key = tenant.keys.active();
  const { header, payload } = buildIdToken(tenant, { client, user, oidc: request.oidc, nonce }, key);
  return signCompact(header, payload, key.privateKey);
}

function clientInfo(uid: string, utid: string): string {
  return Buffer.from(JSON.stringify({ uid, utid })).toString("base64url");
}
