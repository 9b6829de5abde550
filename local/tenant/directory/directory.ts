/**
 * The tenant's directory, as Entra stores it: users, app registrations, consents and role assignments. It is plain data
 * with look-ups. `oauth/` decides what the data means for a token.
 */
export interface User {
  readonly name: string;
  readonly oid: string;
  readonly username: string;
  password: string;
  readonly displayName: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly guest: boolean;
  /** The identity provider where a guest signs in (E-35). */
  readonly idp?: string;
  disabled: boolean;
  locked: boolean;
  passwordExpired: boolean;
  /** Tokens issued earlier are no longer valid (50173). */
  tokensValidFromMs: number;
}

export interface ClientSecret {
  readonly keyId: string;
  readonly value: string;
  expiresAtMs: number;
  /** The number of uses that fail with 7000215, as with a new secret that the replicas do not have yet (E-82). */
  refusedUses: number;
}

export interface RegisteredCertificate {
  readonly thumbprintSha1: string;
  readonly thumbprintSha256: string;
  readonly publicKeyPem: string;
}

export interface FederatedCredential {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
}

/** The optional claims that a resource requested. */
export interface OptionalClaims {
  /** `idtyp: "app"` in app-only tokens (E-33). */
  idtyp: boolean;
  /** `idtyp: "user"` in user tokens (the `include_user_token` property). */
  idtypUser: boolean;
  acct: boolean;
  /** The client's declared capabilities (E-40). */
  xmsCc: boolean;
}

export interface Registration {
  readonly name: string;
  readonly displayName: string;
  readonly clientId: string;
  /** The object id of its service principal, which is the `oid` of its app-only tokens. */
  readonly objectId: string;
  readonly appIdUris: string[];
  tokenVersion: 1 | 2;
  readonly scopes: string[];
  readonly appRoles: string[];
  readonly optionalClaims: OptionalClaims;
  /** Its tokens may be valid for 20 to 28 hours (E-39). */
  readonly longLivedTokens: boolean;
  readonly publicClient: boolean;
  /** The registration is an agent identity: client id of its agent identity blueprint (E-113). */
  readonly blueprint: string | undefined;
  /** "Allow public client flows": a confidential client may omit its credential. Otherwise the answer is 7000218. */
  allowPublicClientFlows: boolean;
  disabled: boolean;
  /** Requires an app role of applications (501051) and an assignment of users (50105). */
  assignmentRequired: boolean;
  secrets: ClientSecret[];
  certificates: RegisteredCertificate[];
  federatedCredentials: FederatedCredential[];
  readonly redirectUris: string[];
  /** Permission names by resource id. `.default` requests consent for them. */
  readonly requiredAccess: Readonly<Record<string, readonly string[]>>;
}

export interface Consent {
  readonly clientId: string;
  readonly resourceId: string;
  /** Absent: an administrator consented for all users. */
  readonly userOid?: string;
  readonly scopes: Set<string>;
}

export interface RoleAssignment {
  readonly principalOid: string;
  readonly resourceId: string;
  readonly role: string;
}

export interface DirectoryData {
  users: User[];
  registrations: Registration[];
  consents: Consent[];
  roleAssignments: RoleAssignment[];
}

export interface Directory extends DirectoryData {
  /** By seed name, user name or object id. */
  user(key: string): User | undefined;
  /** By seed name or client id. */
  registration(key: string): Registration | undefined;
  /** By client id or App ID URI. Like Entra, it ignores one trailing slash (E-31). */
  resource(identifier: string): Registration | undefined;
  /** All scopes consented for this client, resource and user. A token carries all of them. */
  consentedScopes(clientId: string, resourceId: string, userOid: string): string[];
  rolesOf(principalOid: string, resourceId: string): string[];
  /** Restores the initial content. */
  restore(): void;
}

export function createDirectory(data: DirectoryData): Directory {
  const start = structuredClone(data);
  return {
    ...data,
    restore: () => {
      const copy = structuredClone(start);
      data.users.splice(0, data.users.length, ...copy.users);
      data.registrations.splice(0, data.registrations.length, ...copy.registrations);
      data.consents.splice(0, data.consents.length, ...copy.consents);
      data.roleAssignments.splice(0, data.roleAssignments.length, ...copy.roleAssignments);
    },
    user: (key) => data.users.find((user) => matchesUser(user, key)),
    registration: (key) => data.registrations.find((app) => app.name === key || sameText(app.clientId, key)),
    resource: (identifier) => data.registrations.find((app) => matchesResource(app, identifier)),
    consentedScopes: (clientId, resourceId, userOid) => {
      const rows = data.consents.filter((row) => row.clientId === clientId && row.resourceId === resourceId);
      const applicable = rows.filter((row) => row.userOid === undefined || row.userOid === userOid);
      return [...new Set(applicable.flatMap((row) => [...row.scopes]))];
    },
    rolesOf: (principalOid, resourceId) =>
      data.roleAssignments
        .filter((row) => row.principalOid === principalOid && row.resourceId === resourceId)
        .map((row) => row.role),
  };
}

function matchesUser(user: User, key: string): boolean {
  return user.name === key || sameText(user.username, key) || user.oid === key;
}

function matchesResource(app: Registration, identifier: string): boolean {
  const bare = identifier.endsWith("/") ? identifier.slice(0, -1) : identifier;
  return sameText(app.clientId, bare) || app.appIdUris.includes(bare);
}

function sameText(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
