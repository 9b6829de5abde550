import type { EntraToken } from "../entra/entra-token.ts";

/** A token fit for keeping: no refresh token, and nothing that only the first caller needs. */
export interface CachedToken extends Omit<EntraToken, "refreshToken"> {
  readonly refreshToken: undefined;
}

export function toCachedToken(token: EntraToken): CachedToken {
  return { ...token, refreshToken: undefined };
}
