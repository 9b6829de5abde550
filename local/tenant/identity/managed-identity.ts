/**
 * The managed identity endpoint of App Service (KV-40): `GET /msi/token` with the identity header.
 */
import { randomBytes } from "node:crypto";
import type { Registration } from "../directory/directory.ts";
import { CLIENT_IDS } from "../directory/seed-ids.ts";
import { signCompact } from "../keys/compact-jws.ts";
import type { KeyRing } from "../keys/key-ring.ts";
import { type AccessTokenTenant, buildAccessToken } from "../oauth/access-token.ts";

export interface ManagedIdentityEndpoint {
  /** For `IDENTITY_ENDPOINT`. */
  readonly endpoint: string;
  /** For `IDENTITY_HEADER`. */
  readonly header: string;
  /** The identities of the app, by seed name. */
  assigned: ("systemIdentity" | "userIdentity")[];
}

export interface IdentityTenant extends AccessTokenTenant {
  readonly keys: KeyRing;
  readonly identity: ManagedIdentityEndpoint;
}

export interface IdentityRequest {
  header: string | undefined;
  query: URLSearchParams;
}

/** The platform caches managed identity tokens, and they are valid for a day. */
const LIFETIME_SECONDS = 24 * 3_600 - 300;

export function createManagedIdentityEndpoint(url: string): ManagedIdentityEndpoint {
  const header = randomBytes(16).toString("hex").toUpperCase();
  return { endpoint: `${url}/msi/token`, header, assigned: ["systemIdentity", "userIdentity"] };
}

export function answerIdentityRequest(
  tenant: IdentityTenant,
  request: IdentityRequest,
): { status: number; body: object } {
  const { query } = request;
  if (request.header !== tenant.identity.header) return identityError(401, "The identity header is missing or wrong.");
  if (query.get("api-version") !== "2019-08-01") return identityError(400, "The api-version is not supported.");
  const audience = query.get("resource");
  if (audience === null) return identityError(400, "The parameter resource is required.");
  const identity = findIdentity(tenant, query);
  if (identity === undefined) {
    return identityError(
      400,
      "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
    );
  }
  const resource = tenant.directory.resource(audience);
  if (resource === undefined) {
    const text = `AADSTS500011: The resource principal named ${audience} was not found in the tenant named ${tenant.tenantId}.`;
    return identityError(400, text);
  }
  const key = tenant.keys.active();
  const { header, payload } = buildAccessToken(
    tenant,
    {
      client: identity,
      clientAuth: "2",
      resource,
      audience,
      capabilities: [],
      satisfied: [],
      lifetimeSeconds: LIFETIME_SECONDS,
    },
    key,
  );
  const body = {
    access_token: signCompact(header, payload, key.privateKey),
    expires_on: String(payload["exp"]),
    resource: audience,
    token_type: "Bearer",
    client_id: identity.clientId,
  };
  return { status: 200, body };
}

/** Without an id in the query it is the system-assigned identity. */
function findIdentity(tenant: IdentityTenant, query: URLSearchParams): Registration | undefined {
  const clientId = query.get("client_id");
  const objectId = query.get("principal_id") ?? query.get("object_id");
  const named = tenant.identity.assigned.flatMap((name) => tenant.directory.registration(name) ?? []);
  if (clientId === null && objectId === null) return named.find((one) => one.clientId === CLIENT_IDS.systemIdentity);
  return named.find((one) => one.clientId === clientId || one.objectId === objectId);
}

function identityError(status: number, message: string): { status: number; body: object } {
  return { status, body: { statusCode: status, message } };
}
