/**
 * `POST /{tenant}/oauth2/v2.0/token` and its v1 form. The checks have Entra's order: form, grant type, client, redemption.
 */
import { entraError } from "../errors/entra-error.ts";
import type { Grant } from "../grants/grant.ts";
import { findGrant } from "../grants/grant-types.ts";
import { authenticateClient } from "../oauth/client-authentication.ts";
import { resolveTenantSegment } from "../oauth/tenant-segment.ts";
import { parseForm, required } from "../oauth/token-request.ts";
import { appTokenBody, type EndpointVersion, type TokenTenant, userTokenBody } from "./token-response.ts";

export interface TokenEndpointRequest {
  method: string;
  tenantSegment: string;
  version: EndpointVersion;
  contentType: string | undefined;
  authorization: string | undefined;
  body: string;
}

/** Returns the JSON body of a success. Throws an `EntraError` for every failure. */
export function answerTokenRequest(tenant: TokenTenant, request: TokenEndpointRequest): object {
  if (request.method !== "POST") throw entraError(900561, { method: request.method });
  const segment = resolveTenantSegment(request.tenantSegment);
  const form = withV1Resource(parseForm(request.contentType, request.body), request.version);
  const grant = supportedGrant(required(form, "grant_type"));
  if (segment !== "tenant" && (segment === "consumers" || !grant.anyTenant)) throw entraError(9001023);
  const client = authenticateClient(tenant, form, request.authorization, grant.confidentialOnly);
  const context = { tenant, form, ...client };
  const redeemed = grant.redeem(context);
  return redeemed.kind === "app"
    ? appTokenBody(context, redeemed, request.version)
    : userTokenBody(context, redeemed, request.version);
}

function supportedGrant(wireName: string): Grant {
  const grant = findGrant(wireName);
  if (grant === undefined) throw entraError(70003, { grantType: wireName });
  return grant;
}

/** A v1 request has `resource` in place of the scopes. */
function withV1Resource(form: ReadonlyMap<string, string>, version: EndpointVersion): ReadonlyMap<string, string> {
  const resource = form.get("resource");
  if (version === 2 || resource === undefined) return form;
  const oidc = (form.get("scope") ?? "").split(" ").includes("openid") ? " openid" : "";
  return new Map([...form, ["scope", `${resource}/.default${oidc}`]]);
}
