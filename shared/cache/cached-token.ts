import type { EntraToken } from "../entra/entra-token.ts";

/** A token without its refresh token: the cache stores no refresh tokens. */
export interface CachedToken extends Omit<EntraToken, "refreshToken"> {
  readonly refreshToken: undefined;
  /** When the call to Entra began, seconds since 1970: what Entra decided until then is all that the token proves. */
  readonly acquiredAtSeconds: number;
}

export function toCachedToken(token: EntraToken, acquiredAtSeconds: number): CachedToken {
  return { ...token, refreshToken: undefined, acquiredAtSeconds };
}
