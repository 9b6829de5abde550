/**
 * The tenant's directory: people, app registrations, consents and role assignments, as Entra keeps them.
 * Plain data with look-ups; what the data means for a token is decided in `oauth/`.
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
  /** Where a guest really signs in (E-35). */
  readonly idp?: string;
  disabled: boolean;
  locked: boolean;
  passwordExpired: boolean;
  /** Everything issued before is dead (50173). */
  tokensValidFromMs: number;
}

export interface ClientSecret {
  readonly keyId: string;
  readonly value: string;
  expiresAtMs: number;
  /** E-82: a fresh secret is answered 7000215 this many times before the replicas know it. */
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

/** Claims a resource asked for on top of the usual ones. */
export interface OptionalClaims {
  /** `idtyp: "app"` in app-only tokens (E-33). */
  idtyp: boolean;
  /** `idtyp: "user"` as well (the `include_user_token` property). */
  idtypUser: boolean;
  acct: boolean;
  /** The client's declared capabilities (E-40). */
  xmsCc: boolean;
}

export interface Registration {
  readonly name: string;
  readonly displayName: string;
  readonly clientId: string;
  /** Object id of its service principal: the `oid` of its app-only tokens. */
  readonly objectId: string;
  readonly appIdUris: string[];
  tokenVersion: 1 | 2;
  readonly scopes: string[];
  readonly appRoles: string[];
  readonly optionalClaims: OptionalClaims;
  /** Tokens for it may live 20 to 28 hours (E-39). */
  readonly longLivedTokens: boolean;
  readonly publicClient: boolean;
  /** "Allow public client flows": a confidential client may do without its credential (7000218 otherwise). */
  allowPublicClientFlows: boolean;
  disabled: boolean;
  /** Application callers need an app role (501051), users an assignment (50105). */
  assignmentRequired: boolean;
  secrets: ClientSecret[];
  certificates: RegisteredCertificate[];
  federatedCredentials: FederatedCredential[];
  readonly redirectUris: string[];
  /** Permission names by resource id: what `.default` asks consent for. */
  readonly requiredAccess: Readonly<Record<string, readonly string[]>>;
}

export interface Consent {
  readonly clientId: string;
  readonly resourceId: string;
  /** Absent: an administrator consented for everybody. */
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
  /** By client id or App ID URI; one trailing slash is forgiven, as Entra does (E-31). */
  resource(identifier: string): Registration | undefined;
  /** Everything consented for this person, client and resource: what a token will carry. */
  consentedScopes(clientId: string, resourceId: string, userOid: string): string[];
  rolesOf(principalOid: string, resourceId: string): string[];
  /** Back to how it started. */
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
      const own = rows.filter((row) => row.userOid === undefined || row.userOid === userOid);
      return [...new Set(own.flatMap((row) => [...row.scopes]))];
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
