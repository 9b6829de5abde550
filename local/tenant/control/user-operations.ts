/**
 * Control operations for users: sessions, accounts, consents, role assignments and claims challenges.
 */
import { randomUUID } from "node:crypto";
import type { Directory, Registration, User } from "../directory/directory.ts";
import { aadstsRow } from "../errors/aadsts.ts";
import type { Requirement } from "../oauth/requirements.ts";
import type { Clock } from "../time/clock.ts";

export interface UserOperationsTenant {
  readonly clock: Clock;
  readonly directory: Directory;
  readonly requirements: Requirement[];
}

export interface ConsentInput {
  /** Absent: all users. */
  user?: string;
  /** Default: `service`. */
  client?: string;
  /** Default: `graph`. */
  resource?: string;
  scopes: string[];
}

export interface RequirementInput {
  user?: string;
  client?: string;
  /** Default: `graph`. */
  resource?: string;
  /** The JSON text that a client must send back. Default: `{"access_token":{"capolids":{"essential":true,"values":["…"]}}}`. */
  claims?: string;
  /** In place of `claims`: an authentication context, such as `c1`, as `acrs`. */
  authContext?: string;
  /** Default: 50076. */
  code?: number;
}

export type UserChange = Partial<
  Pick<User, "password" | "disabled" | "locked" | "passwordExpired" | "tokensValidFromMs">
>;
export type RoleInput = { principal: string; role: string; resource?: string };

export function createUserOperations(tenant: UserOperationsTenant) {
  const { directory, clock, requirements } = tenant;
  const user = (key: string): User => orUnknown(directory.user(key), key);
  const app = (key: string): Registration => orUnknown(directory.registration(key), key);
  const roleRow = ({ principal, role, resource = "service" }: RoleInput) => ({
    principalOid: directory.user(principal)?.oid ?? app(principal).objectId,
    resourceId: app(resource).clientId,
    role,
  });
  return {
    /** Invalidates all tokens issued to this user so far (50173). */
    revokeSessions: (input: { user: string }) => {
      user(input.user).tokensValidFromMs = clock.stampMs();
    },
    changeUser: ({ user: key, ...change }: { user: string } & UserChange) => {
      Object.assign(user(key), change);
    },
    addConsent: ({ user: key, client = "service", resource = "graph", scopes }: ConsentInput) => {
      const owner = key === undefined ? {} : { userOid: user(key).oid };
      const ids = { clientId: app(client).clientId, resourceId: app(resource).clientId };
      directory.consents.push({ ...ids, ...owner, scopes: new Set(scopes) });
    },
    /** Removes the scopes from the consents of this user, or of all users. */
    withdrawConsent: ({ user: key, client = "service", resource = "graph", scopes }: ConsentInput) => {
      const oid = key === undefined ? undefined : user(key).oid;
      const [clientId, resourceId] = [app(client).clientId, app(resource).clientId];
      const rows = directory.consents.filter((row) => row.clientId === clientId && row.resourceId === resourceId);
      for (const row of rows.filter((one) => oid === undefined || one.userOid === oid)) {
        for (const scope of scopes) row.scopes.delete(scope);
      }
    },
    /** The principal is a user or a registration. The default resource is `service`. */
    assignRole: (input: RoleInput) => {
      directory.roleAssignments.push(roleRow(input));
    },
    unassignRole: (input: RoleInput) => {
      const removed = JSON.stringify(roleRow(input));
      const others = directory.roleAssignments.filter((row) => JSON.stringify({ ...row }) !== removed);
      directory.roleAssignments.splice(0, directory.roleAssignments.length, ...others);
    },
    /** Conditional access: matching requests fail with these claims until the user has signed in with them. */
    requireClaims: (input: RequirementInput = {}) => {
      const { user: key, client, resource = "graph", code = 50076 } = input;
      const id = randomUUID();
      const claims = requiredClaims(input);
      requirements.push({
        id,
        ...(key === undefined ? {} : { userOid: user(key).oid }),
        ...(client === undefined ? {} : { clientId: app(client).clientId }),
        resourceId: app(resource).clientId,
        claims,
        code,
      });
      return { id, claims };
    },
    /** Removes one demand, or all. */
    clearRequirements: ({ id }: { id?: string } = {}) => {
      const others = requirements.filter((one) => id !== undefined && one.id !== id);
      requirements.splice(0, requirements.length, ...others);
    },
  };
}

function requiredClaims({ claims, authContext }: RequirementInput): string {
  if (claims !== undefined) return claims;
  if (authContext === undefined) return aadstsRow(50076).claims ?? "";
  return JSON.stringify({ access_token: { acrs: { essential: true, value: authContext } } });
}

function orUnknown<T>(value: T | undefined, key: string): T {
  if (value === undefined) throw new TypeError(`the local tenant has no user or application ${key}`);
  return value;
}
