import type { TokenIdentity } from "../cache/cache-key.ts";
import type { Failure } from "../core/failure.ts";
import type { RequestTrace } from "../core/request-trace.ts";
import type { Result } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { UserIdentity } from "../core/user-identity.ts";
import type { EntraClient, EntraToken } from "../entra/entra-token.ts";
import type { UnsealedGrant } from "../grants/grant-types.ts";
import type { ApiAllowance, Entitlement } from "../policy/entitlement.ts";

/** What every flow needs besides the subject. */
export interface FlowRequest {
  readonly entitlement: Entitlement;
  readonly claims: string | undefined;
  readonly correlationId: string;
  readonly trace?: RequestTrace | undefined;
}

/** What flows need of the service. */
export interface FlowContext {
  readonly entra: EntraClient;
  /** Guests (users whose home is another tenant) may use the service. */
  readonly allowGuests: boolean;
  /**
   * Records the redemption and stores the newer refresh token. Fails if the grant was revoked during the redemption.
   */
  grantRedeemed(
    grant: UnsealedGrant,
    newer: SecretValue | undefined,
    entitlement: Entitlement,
  ): Promise<Result<true, Failure>>;
  /** Reports that Entra returned the token of another user than the one of the request. */
  onOtherUser(expected: UserIdentity, returned: UserIdentity): void;
}

/** One way to acquire a token. The cache stands between `identity` and `acquire`: equal identities share a token. */
export interface Flow<S> {
  /** What the token depends on besides API, scopes and registration. Undefined: the token is never cached. */
  identity(subject: S): TokenIdentity | undefined;
  /** The token may be released until then, seconds since 1970. Undefined: until it expires. */
  notAfterSeconds(subject: S): number | undefined;
  acquire(context: FlowContext, subject: S, request: FlowRequest): Promise<Result<EntraToken, Failure>>;
}

/** Bare scope names → the scopes that a request to Entra names. */
export function qualifiedScopes({ api, scopes }: Pick<ApiAllowance, "api" | "scopes">): string[] {
  return scopes.map((scope) => `${api.resource}/${scope}`);
}
