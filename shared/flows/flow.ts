import type { TokenIdentity } from "../cache/cache-key.ts";
import type { EntraClient, EntraToken } from "../entra/entra-token.ts";
import type { Failure } from "../failure.ts";
import type { OpenedGrant } from "../grants/grant.ts";
import type { ApiAllowance, Entitlement } from "../policy/entitlement.ts";
import type { RequestTrace } from "../request-trace.ts";
import type { Result } from "../result.ts";
import type { SecretValue } from "../secret-value.ts";

/** What every flow needs besides the permission. */
export interface FlowRequest {
  readonly entitlement: Entitlement;
  readonly claims: string | undefined;
  readonly correlationId: string;
  readonly trace?: RequestTrace | undefined;
}

/** What flows reach outside themselves. */
export interface FlowDependencies {
  readonly entra: EntraClient;
  /** People who are at home in another tenant may use the service. */
  readonly allowGuests: boolean;
  /** Notes that a grant was redeemed and keeps the newer refresh token; fails when the grant was revoked meanwhile. */
  grantRedeemed(grant: OpenedGrant, newer: SecretValue | undefined): Promise<Result<true, Failure>>;
}

/** One way to a token. The cache stands between `identity` and `acquire`: equal identities share an acquired token. */
export interface Flow<P> {
  /** What the token depends on besides API, scopes and registration; undefined: never cached. */
  identity(permission: P): TokenIdentity | undefined;
  /** End of the right to the token, seconds since 1970; undefined: the token's own end. */
  notAfterSeconds(permission: P): number | undefined;
  acquire(dependencies: FlowDependencies, permission: P, request: FlowRequest): Promise<Result<EntraToken, Failure>>;
}

/** Bare scope names → what Entra is asked for. */
export function qualifiedScopes({ api, scopes }: Pick<ApiAllowance, "api" | "scopes">): string[] {
  return scopes.map((scope) => `${api.resource}/${scope}`);
}
