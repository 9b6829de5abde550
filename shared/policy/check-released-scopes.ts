/**
 * Stage 5 of 5: release. Entra returns every scope already consented for this registration, whatever was asked, so the
 * answer is held against the caller's list before it leaves. Pure.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/scopes-oidc#the-default-scope
 */
import { fail, type Result, succeed } from "../result.ts";
import type { ApiAllowance } from "./entitlement.ts";

/** OpenID Connect's own scopes: no permission on any API. */
export const OIDC_SCOPES: readonly string[] = ["openid", "profile", "email", "offline_access"];

/** Scopes as Entra returns them, bare or with their resource in front → bare, without OIDC scopes. */
export function bareScopes(resource: string, scopes: readonly string[]): string[] {
  const prefix = `${resource}/`;
  return scopes
    .map((scope) => (scope.startsWith(prefix) ? scope.slice(prefix.length) : scope))
    .filter((scope) => !OIDC_SCOPES.includes(scope));
}

/** The true scopes of the token, or the ones too many when policy does not accept them. */
export function checkReleasedScopes(
  { api, releasable, acceptSurplus }: ApiAllowance,
  returned: readonly string[],
): Result<readonly string[], { readonly surplus: readonly string[] }> {
  const scopes = bareScopes(api.resource, returned);
  const surplus = scopes.filter((scope) => !releasable.includes(scope));
  return surplus.length > 0 && !acceptSurplus ? fail({ surplus }) : succeed(scopes);
}
