/**
 * Refresh token: redeems the refresh token of a stored grant, or one that a caller imports. The refresh token that
 * Entra returns replaces the stored one. Entra's response must be for the user of the grant.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/refresh-tokens
 */

import { fail } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import { isSameUser } from "../core/user-identity.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import type { UnsealedGrant } from "../grants/grant-types.ts";
import { type Flow, qualifiedScopes } from "./flow.ts";

export interface GrantSubject {
  readonly source: "grant";
  readonly grant: UnsealedGrant;
}

/** A refresh token of Entra from a caller that may import one. */
export interface ImportedSubject {
  readonly source: "imported";
  readonly refreshToken: SecretValue;
}

export const refreshToken: Flow<GrantSubject> = {
  identity: ({ grant }) => ({ kind: "grant", grantId: grant.grant.id, confirmation: grant.grant.confirmation }),
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
    const recorded = await grantRedeemed(grant, newer, entitlement);
    return recorded.ok ? redeemed : recorded;
  },
};

/** Redeems the imported refresh token once. The service then issues a grant. */
export const importedRefreshToken: Flow<ImportedSubject> = {
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

// ---------------------------------------------------------------------------------------------------------------

/** A guest, or a user whose token does not say, where guests are not allowed. */
function isRefusedGuest({ user }: EntraToken, allowGuests: boolean): boolean {
  return !allowGuests && user?.guest !== false;
}
