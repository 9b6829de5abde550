/**
 * The interface of a grant type: its wire names, whether the client must be confidential, and the redemption.
 */
import type { Directory, Registration, User } from "../directory/directory.ts";
import { entraError } from "../errors/entra-error.ts";
import type { KeyRing } from "../keys/key-ring.ts";
import type { Sealer } from "../keys/sealer.ts";
import type { AuthorizationCodes } from "../oauth/authorization-codes.ts";
import type { AuthenticatedClient } from "../oauth/client-authentication.ts";
import type { DeviceCodes } from "../oauth/device-codes.ts";
import type { Issuer } from "../oauth/issuers.ts";
import type { ScopeRequest } from "../oauth/scopes.ts";
import type { Form } from "../oauth/token-request.ts";
import type { Clock } from "../time/clock.ts";

/** What the grant types read and change. */
export interface GrantTenant extends Issuer {
  readonly clock: Clock;
  readonly keys: KeyRing;
  readonly directory: Directory;
  readonly sealer: Sealer;
  readonly codes: AuthorizationCodes;
  readonly deviceCodes: DeviceCodes;
}

export interface GrantRequest extends AuthenticatedClient {
  readonly tenant: GrantTenant;
  readonly form: Form;
}

export interface UserGrant {
  readonly kind: "user";
  readonly user: User;
  readonly request: ScopeRequest;
  /** The demands that the user satisfied at the last sign-in. */
  readonly satisfied: readonly string[];
  readonly nonce?: string | undefined;
}

export interface AppGrant {
  readonly kind: "app";
  readonly resource: Registration;
  readonly audience: string;
}

export interface Grant {
  /** The name in logs, scripted responses and counters. */
  readonly name: string;
  readonly wireNames: readonly string[];
  readonly confidentialOnly: boolean;
  /** Also supported on `/common` and `/organizations`. Other grant types are 9001023 there. */
  readonly anyTenant: boolean;
  redeem(request: GrantRequest): UserGrant | AppGrant;
}

/** The user of a grant. Throws if the account no longer exists or is disabled. */
export function activeUser(tenant: GrantTenant, oid: string): User {
  const user = tenant.directory.user(oid);
  if (user === undefined) throw entraError(50034, { user: oid, tenant: tenant.tenantId });
  if (user.disabled) throw entraError(50057);
  return user;
}
