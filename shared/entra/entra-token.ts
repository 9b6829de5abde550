/**
 * What Entra gives and how it is asked: the interface of stage 4, without a vendor library.
 */
import type { Failure } from "../failure.ts";
import type { Result } from "../result.ts";
import type { SecretValue } from "../secret-value.ts";

/** A token of Entra's token endpoint, checked for form. */
export interface EntraToken {
  readonly accessToken: SecretValue;
  /** Seconds since 1970. */
  readonly expiresAtSeconds: number;
  /** When Entra suggests to renew a long-lived token (`refresh_in`), seconds since 1970. */
  readonly refreshAtSeconds: number | undefined;
  /** `scope` of the answer as sent; empty for application tokens. */
  readonly scopes: readonly string[];
  /** Present when Entra sent one. Whoever does not keep it as a grant drops it. */
  readonly refreshToken: SecretValue | undefined;
  /** Whose token it is, from `client_info`; absent for application tokens. */
  readonly user: { readonly tenantId: string; readonly objectId: string } | undefined;
}

interface TokenRequest {
  /** Fully qualified scopes of one resource. */
  readonly scopes: readonly string[];
  /** Claims request of a challenge, JSON text. */
  readonly claims: string | undefined;
  /** Sent as `client-request-id`. */
  readonly correlationId: string;
  /** Declare the client capability `cp1`. */
  readonly cae: boolean;
}

export interface OnBehalfOfRequest extends TokenRequest {
  readonly assertion: SecretValue;
  readonly presentedAs: "subject_token" | "assertion";
}

export interface RefreshTokenRequest extends TokenRequest {
  readonly refreshToken: SecretValue;
}

/** The calls made to Entra. Each returns a token or says, in our words, why there is none; none throws or hangs. */
export interface EntraClient {
  onBehalfOf(request: OnBehalfOfRequest): Promise<Result<EntraToken, Failure>>;
  redeemRefreshToken(request: RefreshTokenRequest): Promise<Result<EntraToken, Failure>>;
  clientCredentials(request: TokenRequest): Promise<Result<EntraToken, Failure>>;
}
