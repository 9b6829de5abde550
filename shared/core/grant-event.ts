/** What happens to grants, for those who act on it: the owner of a flow, or an administrator. */
import type { UserIdentity } from "./user-identity.ts";

export type GrantEventKind =
  /** A person allowed it, or its caller received its handle. */
  | "created"
  /** It ends within 14 days. Sent once. */
  | "expiring"
  /** Entra refused its refresh token for good. Sent once; again only if the grant is healed and dies again. */
  | "dead"
  /** The same person allowed it again, and its handle works again. */
  | "healed"
  /** Its caller, its person or an administrator ended it. */
  | "revoked"
  /** Another caller presented its handle. */
  | "presented_by_wrong_caller";

/** Contains no handle and no token. */
export interface GrantEvent {
  readonly kind: GrantEventKind;
  readonly grantId: string;
  /** The application or the client that the grant is bound to. */
  readonly clientId: string;
  /** Undefined: no person has allowed it. */
  readonly user: UserIdentity | undefined;
  readonly policyEntry: string | undefined;
  /** When the grant ends, seconds since 1970. */
  readonly expiresAtSeconds: number | undefined;
  /** Why: an error code of this service, or the reason of an administrator's revocation. */
  readonly reason: string | undefined;
  /** Where the same person allows it again. It opens nothing for anyone else. */
  readonly signInUrl: string | undefined;
}

/** Where stages report what happened. It never fails and never makes a request wait. */
export interface GrantEvents {
  publish(event: GrantEvent): void;
}
