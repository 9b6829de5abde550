/**
 * What the Microsoft Graph extension 1.0.0 lets a template set on the resources of entra.bicep, as far as they use it.
 * Kept by hand, because the extension comes from a registry that a build may not reach.
 *
 * Source: https://github.com/microsoftgraph/msgraph-bicep-types, generated/microsoftgraph/microsoft.graph/v1.0/1.0.0
 */
import type { Deployed } from "./bicep/deploy.ts";
import { isRecord } from "./bicep/values.ts";

interface Shape {
  readonly [property: string]: Shape | "value";
}

const value = "value";
const resourceAccess: Shape = { id: value, type: value };

export const GRAPH_PROPERTIES: Readonly<Record<string, Shape>> = {
  "Microsoft.Graph/applications": {
    uniqueName: value,
    displayName: value,
    description: value,
    signInAudience: value,
    identifierUris: value,
    isFallbackPublicClient: value,
    api: {
      knownClientApplications: value,
      requestedAccessTokenVersion: value,
      preAuthorizedApplications: { appId: value, delegatedPermissionIds: value },
      oauth2PermissionScopes: {
        id: value,
        value,
        type: value,
        isEnabled: value,
        adminConsentDescription: value,
        adminConsentDisplayName: value,
        userConsentDescription: value,
        userConsentDisplayName: value,
      },
    },
    appRoles: { id: value, value, displayName: value, description: value, allowedMemberTypes: value, isEnabled: value },
    optionalClaims: { accessToken: { name: value, essential: value, source: value, additionalProperties: value } },
    publicClient: { redirectUris: value },
    requiredResourceAccess: { resourceAppId: value, resourceAccess },
    servicePrincipalLockConfiguration: { isEnabled: value, allProperties: value },
    web: {
      homePageUrl: value,
      logoutUrl: value,
      redirectUris: value,
      implicitGrantSettings: { enableAccessTokenIssuance: value, enableIdTokenIssuance: value },
    },
  },
  "Microsoft.Graph/applications/federatedIdentityCredentials": {
    name: value,
    description: value,
    audiences: value,
    issuer: value,
    subject: value,
  },
  "Microsoft.Graph/servicePrincipals": { appId: value, accountEnabled: value, appRoleAssignmentRequired: value },
  "Microsoft.Graph/oauth2PermissionGrants": { clientId: value, resourceId: value, consentType: value, scope: value },
  "Microsoft.Graph/appRoleAssignedTo": { principalId: value, resourceId: value, appRoleId: value },
};

/** Paths of properties that the extension does not know. */
export function unknownProperties(resource: Deployed): string[] {
  return unknownIn(resource.body, GRAPH_PROPERTIES[resource.type] ?? {}, "");
}

function unknownIn(holder: unknown, shape: Shape | "value", path: string): string[] {
  if (shape === "value") {
    return [];
  }
  if (Array.isArray(holder)) {
    return holder.flatMap((item) => unknownIn(item, shape, path));
  }
  if (!isRecord(holder)) {
    return [];
  }
  return Object.entries(holder).flatMap(([key, member]) => {
    const known = shape[key];
    const here = path === "" ? key : `${path}.${key}`;
    return known === undefined ? [here] : unknownIn(member, known, here);
  });
}
