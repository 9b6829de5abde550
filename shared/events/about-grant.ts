/** A grant as an event describes it. Pure. */
import type { GrantBinding } from "../core/grant.ts";
import type { GrantEvent, GrantEventKind } from "../core/grant-event.ts";
import type { UserIdentity } from "../core/user-identity.ts";

/** What the caller knows of the grant. A grant that was only requested has no user. */
export interface GrantOfEvent {
  readonly id: string;
  readonly binding: GrantBinding;
  readonly user: UserIdentity | undefined;
  readonly policyEntry?: string;
  readonly expiresAtSeconds?: number;
}

export function aboutGrant(
  kind: GrantEventKind,
  { id, binding, user, policyEntry, expiresAtSeconds }: GrantOfEvent,
  { reason, signInUrl }: Partial<Pick<GrantEvent, "reason" | "signInUrl">> = {},
): GrantEvent {
  return { kind, grantId: id, clientId: binding.clientId, user, policyEntry, expiresAtSeconds, reason, signInUrl };
}
