/**
 * Refresh token: a kept grant is redeemed. The refresh token that Entra returns replaces the stored one, and the answer
 * must be about the same user as the grant.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/refresh-tokens
 */

import { fail } from "../core/result.ts";
import { isSameUser } from "../core/user-identity.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import { type Flow, qualifiedScopes } from "./flow.ts";
import type { Subject } from "./subject.ts";

export const refreshToken: Flow<Extract<Subject, { source: "grant" }>> = {
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
    if (!redeemed.ok) return redeemed;
    const { user, refreshToken: newer } = redeemed.value;
    if (!isSameUser(user, grant.grant.user)) return fail({ kind: "grant_refused", reason: "user_changed" });
    if (isRefusedGuest(redeemed.value, allowGuests)) return fail({ kind: "sign_in_refused", reason: "guest" });
    const noted = await grantRedeemed(grant, newer);
    return noted.ok ? redeemed : noted;
  },
};

/** A raw refresh token of Entra's, from a caller that may import: redeemed once, then kept as a grant. */
export const importedRefreshToken: Flow<Extract<Subject, { source: "imported" }>> = {
  identity: () => undefined,
  notAfterSeconds: () => undefined,
  async acquire({ entra, allowGuests }, subject, { entitlement, claims, correlationId, trace }) {
    const redeemed = await entra.redeemRefreshToken({
      refreshToken: subject.refreshToken,
      scopes: qualifiedScopes(entitlement),
      claims,
      correlationId,
      trace,
      cae: entitlement.cae,
    });
    return redeemed.ok && isRefusedGuest(redeemed.value, allowGuests)
      ? fail({ kind: "sign_in_refused", reason: "guest" })
      : redeemed;
  },
};

/** A guest, or a user whose answer does not say, where guests are not allowed. */
function isRefusedGuest({ user }: EntraToken, allowGuests: boolean): boolean {
  return !allowGuests && user?.guest !== false;
}
