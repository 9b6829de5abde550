/** A grant: the record of a stored delegated permission, without the refresh token. */
import type { ConsentedApis } from "./api-scopes.ts";
import type { UserIdentity } from "./user-identity.ts";

/** Who may redeem: the client that authenticated when the grant was made. A user caller must also be the grant's user. */
export interface GrantBinding {
  readonly kind: "user" | "application";
  readonly tenantId: string;
  readonly clientId: string;
}

/** A delegated permission kept for later, without the refresh token. */
export interface Grant {
  /** Hex SHA-256 of the handle. Not a secret: the handle cannot be found from it, and only the handle opens the seal. */
  readonly id: string;
  readonly binding: GrantBinding;
  readonly user: UserIdentity;
  /** What it covers, as Entra gave it when the grant was made. */
  readonly apis: ConsentedApis;
  /** Name of the policy entry that allowed it. */
  readonly policyEntry: string;
  readonly createdAtSeconds: number;
  readonly expiresAtSeconds: number;
  readonly lastRedeemedAtSeconds: number | undefined;
}

/** Lower-case hex SHA-256: `GET /grants` shows it and `POST /oauth2/revoke` accepts it. */
export function isGrantId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
