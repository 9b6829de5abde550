/**
 * Refresh token: a kept grant is redeemed. The refresh token that Entra returns replaces the stored one, and the answer
 * must be about the same user as the grant.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/refresh-tokens
 */

import type { Permission } from "../permission.ts";
import { fail } from "../result.ts";
import { type Flow, qualifiedScopes } from "./flow.ts";

export const refreshToken: Flow<Extract<Permission, { source: "grant" }>> = {
  identity: ({ grant }) => ({ kind: "grant", grantId: grant.grant.id }),
  notAfterSeconds: ({ grant }) => grant.grant.expiresAtSeconds,
  async acquire({ entra, grantRedeemed }, { grant }, { entitlement, claims, correlationId, trace }) {
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
    const noted = await grantRedeemed(grant, newer);
    return noted.ok ? redeemed : noted;
  },
};

/** A raw refresh token of Entra's, from a caller that may import: redeemed once, then kept as a grant. */
export const importedRefreshToken: Flow<Extract<Permission, { source: "imported" }>> = {
  identity: () => undefined,
  notAfterSeconds: () => undefined,
  acquire: ({ entra }, permission, { entitlement, claims, correlationId, trace }) =>
    entra.redeemRefreshToken({
      refreshToken: permission.refreshToken,
      scopes: qualifiedScopes(entitlement),
      claims,
      correlationId,
      trace,
      cae: entitlement.cae,
    }),
};
