/** A grant: the metadata of a stored refresh token, without the token. */
import type { ConsentedApis } from "./api-scopes.ts";
import type { UserIdentity } from "./user-identity.ts";

/** Who may redeem the grant: the client that authenticated when it was issued. A user must also be the grant's user. */
export interface GrantBinding {
  readonly kind: "user" | "application";
  readonly tenantId: string;
  readonly clientId: string;
}

/** Who asked for a grant: the application itself, or a person through a client application. */
export interface GrantRequester {
  readonly clientId: string;
  /** `oid` of the person. Undefined: the application. */
  readonly userObjectId: string | undefined;
}

/** The last redemption failed. A later one that works removes it. */
export interface GrantError {
  /** A code of this service. */
  readonly code: string;
  readonly atSeconds: number;
}

export interface Grant {
  /**
   * Hex SHA-256 of the handle. Not a secret: only the handle unseals the refresh token, and the hash does not reveal
   * it.
   */
  readonly id: string;
  readonly binding: GrantBinding;
  /** Client id of the registration that Entra issued the refresh token for. No other one can redeem it. */
  readonly registration: string;
  readonly user: UserIdentity;
  /** The scopes that Entra returned when the grant was issued. */
  readonly apis: ConsentedApis;
  /** Name of the policy entry that allowed it. */
  readonly policyEntry: string;
  readonly requestedBy: GrantRequester;
  readonly createdAtSeconds: number;
  /** When the person allowed it, or allowed it again: the time of that confirmation. */
  readonly allowedAtSeconds: number;
  readonly expiresAtSeconds: number;
  /** S256 challenge of the application's session: until the application presents the verifier, the grant is not live. */
  readonly codeChallenge: string | undefined;
  /** When the application presented the verifier. */
  readonly verifiedAtSeconds: number | undefined;
  /** When its caller redeemed it last. */
  readonly lastRedeemedAtSeconds: number | undefined;
  /** When Entra last gave a newer refresh token: to its caller, or to the timer that keeps it alive. */
  readonly lastRenewedAtSeconds: number | undefined;
  readonly lastError: GrantError | undefined;
  /** When Entra first refused its refresh token for good. Undefined: it works, or a person has allowed it again. */
  readonly deadSinceSeconds: number | undefined;
  /** When its owner heard that it ends soon. */
  readonly expiringReportedAtSeconds: number | undefined;
  /** The timer that keeps it alive leaves it alone until then. Undefined: its entry has no `keepAliveDays`. */
  readonly keepAliveAfterSeconds: number | undefined;
  /** Id of the confirmation that allowed it last. Undefined: issued without a link. */
  readonly confirmation: string | undefined;
  /** Id of the confirmation on which the person last chose not to allow it again. */
  readonly declinedConfirmation: string | undefined;
}

/** A grant that an application requested with a link, and that no person has allowed yet. */
export interface RequestedGrant {
  readonly id: string;
  readonly binding: GrantBinding;
  readonly registration: string;
  readonly policyEntry: string;
  readonly requestedBy: GrantRequester;
  readonly apis: ConsentedApis;
  /** `oid` of the only person who may allow it. Undefined: any person of the tenant. */
  readonly expectedUser: string | undefined;
  /** Claims challenge (JSON text) that the sign-in must satisfy. */
  readonly claims: string | undefined;
  /** As in a grant. */
  readonly codeChallenge: string | undefined;
  readonly expiresAtSeconds: number;
}

/** What a link must ask for so that a grant of this application becomes live. */
export interface WantedGrant {
  /** The application's current policy entry. */
  readonly entry: string;
  /** The caller authenticated to Entra with a secret or a certificate. */
  readonly confidential: boolean;
  readonly clientId: string;
  readonly apis: ConsentedApis;
  readonly expectedUser: string | undefined;
  readonly claims: string | undefined;
  /** The grant exists, and only its own person can make it live again. */
  readonly heals: boolean;
}

const DAY_SECONDS = 24 * 3600;

/** When a grant ends that begins at `startSeconds`, seconds since 1970. `maxDays`: `grantMaxDays` of the policy entry. */
export function grantEnd(startSeconds: number, maxDays: number): number {
  return startSeconds + maxDays * DAY_SECONDS;
}

/** How many days before its end a grant's owner hears of it. */
export const EXPIRING_DAYS = 14;

/**
 * When the timer redeems a grant whose refresh token is new at `renewedAtSeconds`. The id spreads grants of the same
 * minute over a day.
 */
export function keepAliveTime(id: string, renewedAtSeconds: number, keepAliveDays: number): number {
  return renewedAtSeconds + keepAliveDays * DAY_SECONDS + (Number.parseInt(id.slice(0, 8), 16) % DAY_SECONDS);
}

/**
 * `gte_` and 256 bits in base64url: 43 characters, of which the last has four bits, so only sixteen characters are
 * allowed there (one spelling per value).
 */
const HANDLE = /^gte_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

export function isGrantHandle(text: string): boolean {
  return HANDLE.test(text);
}

/** Lower-case hex SHA-256: `GET /grants` shows it and `POST /oauth2/revoke` accepts it. */
export function isGrantId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
