import type { TokenIdentity } from "../cache/cache-key.ts";
import type { Failure } from "../core/failure.ts";
import type { RequestTrace } from "../core/request-trace.ts";
import type { Result } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { EntraClient, EntraToken } from "../entra/entra-token.ts";
import type { UnsealedGrant } from "../grants/grant.ts";
import type { ApiAllowance, Entitlement } from "../policy/entitlement.ts";

/** What every flow needs besides the subject. */
export interface FlowRequest {
  readonly entitlement: Entitlement;
  readonly claims: string | undefined;
  readonly correlationId: string;
  readonly trace?: RequestTrace | undefined;
}

/** What flows reach outside themselves. */
export interface FlowContext {
  readonly entra: EntraClient;
  /** People who are at home in another tenant may use the service. */
  readonly allowGuests: boolean;
  /** Notes that a grant was redeemed and keeps the newer refresh token; fails when the grant was revoked meanwhile. */
  grantRedeemed(grant: UnsealedGrant, newer: SecretValue | undefined): Promise<Result<true, Failure>>;
}

/** One way to a token. The cache stands between `identity` and `acquire`: equal identities share an acquired token. */
export interface Flow<P> {
  /** What the token depends on besides API, scopes and registration; undefined: never cached. */
  identity(subject: P): TokenIdentity | undefined;
  /** End of the right to the token, seconds since 1970; undefined: the token's own end. */
  notAfterSeconds(subject: P): number | undefined;
  acquire(context: FlowContext, subject: P, request: FlowRequest): Promise<Result<EntraToken, Failure>>;
}

/** Bare scope names → what Entra is asked for. */
export function qualifiedScopes({ api, scopes }: Pick<ApiAllowance, "api" | "scopes">): string[] {
  return scopes.map((scope) => `${api.resource}/${scope}`);
}
