/**
 * The properties of the Microsoft Graph extension 1.0.0 that entra/entra.bicep uses. This list is maintained manually,
 * because the extension comes from a registry that a build may not reach. Add a property here when the template uses it for
 * the first time. Passwords are not listed, because the extension does not support them.
 *
 * Source: https://github.com/microsoftgraph/msgraph-bicep-types, generated/microsoftgraph/microsoft.graph/v1.0/1.0.0
 */

export type GraphType = "text" | "guid" | "flag" | "number" | readonly [GraphType] | GraphObject;

export interface GraphObject {
  readonly [property: string]: GraphProperty;
}

export interface GraphProperty {
  readonly type: GraphType;
  /** The template must set it. */
  readonly required?: boolean;
  /** Entra sets it. A template can only read it. */
  readonly readOnly?: boolean;
  /** Part of the key of the resource. */
  readonly key?: boolean;
  /** Known before the deployment. */
  readonly constant?: boolean;
}

const text: GraphProperty = { type: "text" };
const guid: GraphProperty = { type: "guid" };
const flag: GraphProperty = { type: "flag" };
const number: GraphProperty = { type: "number" };
const object = (type: GraphObject): GraphProperty => ({ type });
const listOf = (item: GraphType): GraphProperty => ({ type: [item] });
const required = (property: GraphProperty): GraphProperty => ({ ...property, required: true });
const readOnly = (property: GraphProperty): GraphProperty => ({ ...property, readOnly: true });
const key = (property: GraphProperty): GraphProperty => ({ ...property, required: true, key: true });

const permissionScope: GraphObject = {
  id: guid,
  value: text,
  type: text,
  isEnabled: flag,
  adminConsentDescription: text,
  adminConsentDisplayName: text,
  userConsentDescription: text,
  userConsentDisplayName: text,
};

const appRole: GraphObject = {
  id: guid,
  value: text,
  displayName: text,
  description: text,
  allowedMemberTypes: listOf("text"),
  isEnabled: flag,
  origin: readOnly(text),
};

const optionalClaim: GraphObject = {
  name: text,
  source: text,
  essential: flag,
  additionalProperties: listOf("text"),
};

const application: GraphObject = {
  id: readOnly(text),
  appId: readOnly(text),
  uniqueName: { ...key(text), constant: true },
  displayName: required(text),
  description: text,
  signInAudience: text,
  identifierUris: listOf("text"),
  isFallbackPublicClient: flag,
  api: object({
    acceptMappedClaims: flag,
    knownClientApplications: listOf("guid"),
    requestedAccessTokenVersion: number,
    preAuthorizedApplications: listOf({ appId: text, delegatedPermissionIds: listOf("text") }),
    oauth2PermissionScopes: listOf(permissionScope),
  }),
  appRoles: listOf(appRole),
  optionalClaims: object({
    accessToken: listOf(optionalClaim),
    idToken: listOf(optionalClaim),
    saml2Token: listOf(optionalClaim),
  }),
  publicClient: object({ redirectUris: listOf("text") }),
  requiredResourceAccess: listOf({
    resourceAppId: text,
    resourceAccess: listOf({ id: guid, type: text }),
  }),
  servicePrincipalLockConfiguration: object({
    isEnabled: flag,
    allProperties: flag,
    credentialsWithUsageSign: flag,
    credentialsWithUsageVerify: flag,
    tokenEncryptionKeyId: flag,
  }),
  spa: object({ redirectUris: listOf("text") }),
  web: object({
    homePageUrl: text,
    logoutUrl: text,
    redirectUris: listOf("text"),
    redirectUriSettings: listOf({ index: number, uri: text }),
    implicitGrantSettings: object({ enableAccessTokenIssuance: flag, enableIdTokenIssuance: flag }),
  }),
};

export const GRAPH_RESOURCES: Readonly<Record<string, GraphObject>> = {
  "Microsoft.Graph/applications": application,
  "Microsoft.Graph/applications/federatedIdentityCredentials": {
    id: readOnly(text),
    name: key(text),
    description: text,
    audiences: required(listOf("text")),
    issuer: required(text),
    subject: required(text),
  },
  "Microsoft.Graph/servicePrincipals": {
    id: readOnly(text),
    appId: key(text),
    accountEnabled: flag,
    appRoleAssignmentRequired: flag,
    appRoles: listOf(appRole),
    oauth2PermissionScopes: listOf(permissionScope),
    description: text,
    displayName: text,
  },
  "Microsoft.Graph/oauth2PermissionGrants": {
    id: readOnly(text),
    clientId: required(text),
    resourceId: required(text),
    consentType: required(text),
    principalId: text,
    scope: text,
  },
  "Microsoft.Graph/appRoleAssignedTo": {
    id: readOnly(text),
    principalId: required(guid),
    resourceId: required(guid),
    appRoleId: required(guid),
  },
};
