/** A grant: the metadata of a stored refresh token, without the token. */
import type { ConsentedApis } from "./api-scopes.ts";
import type { UserIdentity } from "./user-identity.ts";

/** Who may redeem the grant: the client that authenticated when it was issued. A user must also be the grant's user. */
export interface GrantBinding {
  readonly kind: "user" | "application";
  readonly tenantId: string;
  readonly clientId: string;
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
  readonly createdAtSeconds: number;
  readonly expiresAtSeconds: number;
  readonly lastRedeemedAtSeconds: number | undefined;
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
