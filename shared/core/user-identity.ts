/**
 * A user of one tenant, by the two immutable claims `tid` and `oid`. Names and addresses can change and identify no
 * user.
 */
export interface UserIdentity {
  readonly tenantId: string;
  readonly objectId: string;
}

/**
 * Whether Entra's response is for the user of the request. A response without a user never matches. Every flow with a
 * user checks this before a token is cached, stored or released.
 */
export function isSameUser(one: UserIdentity | undefined, other: UserIdentity | undefined): boolean {
  return one !== undefined && other !== undefined && one.tenantId === other.tenantId && one.objectId === other.objectId;
}

/** Names a user or an application in budgets and in the throttle memory. A GUID contains no space. */
export function identityKey({ tenantId, objectId }: UserIdentity): string {
  return `${tenantId} ${objectId}`;
}
