/**
 * Release check. Entra returns every scope already consented for the registration, even if the request names fewer, so
 * the service compares the returned scopes with the caller's list before a token leaves. Pure.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/scopes-oidc#the-default-scope
 */
import type { ScopeSurplus } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { ApiAllowance } from "./entitlement.ts";

/** The scopes of OpenID Connect. They are not permissions on an API. */
export const OIDC_SCOPES: readonly string[] = ["openid", "profile", "email", "offline_access"];

/** Scopes as Entra returns them, bare or prefixed with their resource → bare, without OIDC scopes. */
function bareScopes(resource: string, scopes: readonly string[]): string[] {
  const prefix = `${resource}/`;
  return scopes
    .map((scope) => (scope.startsWith(prefix) ? scope.slice(prefix.length) : scope))
    .filter((scope) => !OIDC_SCOPES.includes(scope));
}

/** The true scopes of the token, bare; or the surplus, unless policy accepts it. `entry` names the policy entry. */
export function release(
  { api, releasable, acceptSurplus }: ApiAllowance,
  returned: readonly string[],
  entry: string,
): Result<readonly string[], ScopeSurplus> {
  const scopes = bareScopes(api.resource, returned);
  const surplus = scopes.filter((scope) => !releasable.includes(scope));
  return surplus.length > 0 && !acceptSurplus
    ? fail({ kind: "scope_surplus", entry, surplus, api: api.name })
    : succeed(scopes);
}
