/**
 * Release check. Entra returns every scope already consented for the registration, even if the request names fewer, so
 * the service compares the returned scopes with the caller's list before a token leaves. Pure.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/scopes-oidc#the-default-scope
 */
import type { ScopeSurplus } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { ApiAllowance } from "./entitlement.ts";
import { inKnownSpelling, isOidcScope, withoutResource } from "./scope-names.ts";

/** Scopes as Entra returns them, bare or prefixed with their resource → bare, without OIDC scopes. */
function bareScopes(resource: string, scopes: readonly string[]): string[] {
  return scopes
    .map((scope) => withoutResource(resource, scope) ?? scope)
    .filter((scope) => !isOidcScope(resource, scope));
}

/**
 * The true scopes of the token, bare and in the spelling of the policy; or the surplus, unless policy accepts it. `entry`
 * names the policy entry.
 */
export function release(
  { api, releasable, acceptSurplus }: ApiAllowance,
  returned: readonly string[],
  entry: string,
): Result<readonly string[], ScopeSurplus> {
  const scopes = inKnownSpelling(api.resource, bareScopes(api.resource, returned), releasable);
  const surplus = scopes.filter((scope) => !releasable.includes(scope));
  return surplus.length > 0 && !acceptSurplus
    ? fail({ kind: "scope_surplus", entry, surplus, api: api.name })
    : succeed(scopes);
}
