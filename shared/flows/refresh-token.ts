/**
 * Refresh token: a kept grant is redeemed. The refresh token that Entra returns replaces the stored one, and the answer
 * must be about the same user as the grant.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/refresh-tokens
 */

import type { EntraToken } from "../entra/entra-token.ts";
import type { Permission } from "../permission.ts";
import { fail } from "../result.ts";
import { type Flow, qualifiedScopes } from "./flow.ts";

export const refreshToken: Flow<Extract<Permission, { source: "grant" }>> = {
  identity: ({ grant }) => ({ kind: "grant", grantId: grant.grant.id }),
  notAfterSeconds: ({ grant }) => grant.grant.expiresAtSeconds,
  async acquire({ entra, allowGuests, grantRedeemed }, { grant }, { entitlement, claims, correlationId, trace }) {
    const redeemed = await entra.redeemRefreshToken({
      refreshToken: grant.refreshToken,
      scopes: qualifiedScopes(entitlement),
      claims,
      correlationId,
      trace,
      cae: entitlement.cae,
    });
    if (!redeemed.ok) {
      return redeemed;
    }
    const { user, refreshToken: newer } = redeemed.value;
    const { user: owner } = grant.grant;
    if (user?.tenantId !== owner.tenantId || user.objectId !== owner.objectId) {
      return fail({ kind: "grant_refused", reason: "user_changed" });
    }
    if (isUnwanted(redeemed.value, allowGuests)) {
      return fail({ kind: "sign_in_refused", reason: "guest" });
    }
    const noted = await grantRedeemed(grant, newer);
    return noted.ok ? redeemed : noted;
  },
};

/** A raw refresh token of Entra's, from a caller that may import: redeemed once, then kept as a grant. */
export const importedRefreshToken: Flow<Extract<Permission, { source: "imported" }>> = {
  identity: () => undefined,
  notAfterSeconds: () => undefined,
  async acquire({ entra, allowGuests }, permission, { entitlement, claims, correlationId, trace }) {
    const redeemed = await entra.redeemRefreshToken({
      refreshToken: permission.refreshToken,
      scopes: qualifiedScopes(entitlement),
      claims,
      correlationId,
      trace,
      cae: entitlement.cae,
    });
    return redeemed.ok && isUnwanted(redeemed.value, allowGuests)
      ? fail({ kind: "sign_in_refused", reason: "guest" })
      : redeemed;
  },
};

/** A guest, or somebody of whom Entra does not say that it is none, where guests are not allowed. */
function isUnwanted({ user }: EntraToken, allowGuests: boolean): boolean {
  return !allowGuests && user?.guest !== false;
}
