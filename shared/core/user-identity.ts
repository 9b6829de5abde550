/** A user of one tenant, by the two claims that never change (`tid`, `oid`). Mutable claims identify no user. */
export interface UserIdentity {
  readonly tenantId: string;
  readonly objectId: string;
}

/**
 * Whether Entra's answer is about the user that the request is about. An answer without a user is about no one, so it
 * never matches. Every flow with a user checks this before a token is cached, stored or released.
 */
export function isSameUser(one: UserIdentity | undefined, other: UserIdentity | undefined): boolean {
  return one !== undefined && other !== undefined && one.tenantId === other.tenantId && one.objectId === other.objectId;
}

/** Names a user or an application in budgets and in the throttle memory. A GUID contains no space. */
export function identityKey({ tenantId, objectId }: UserIdentity): string {
  return `${tenantId} ${objectId}`;
}
