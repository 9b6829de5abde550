import type { EntraToken } from "../entra/entra-token.ts";

/** A token without its refresh token: the cache stores no refresh tokens. */
export interface CachedToken extends Omit<EntraToken, "refreshToken"> {
  readonly refreshToken: undefined;
}

export function toCachedToken(token: EntraToken): CachedToken {
  return { ...token, refreshToken: undefined };
}
