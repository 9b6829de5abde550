/**
 * How the service compares the names of scopes and resources. Entra compares those of Microsoft Graph without case (E-51),
 * so a request may spell them in any case, and responses have the spelling of the policy. Names of other APIs are
 * compared exactly. Pure.
 */
import { GRAPH_APP_ID, isGraph } from "../core/graph-resource.ts";
import { GUID } from "../core/guid.ts";

/** Entra's scope for all permissions that are registered. */
export const DEFAULT_SCOPE = ".default";

/** The scopes of OpenID Connect. They are not permissions on an API. */
const OIDC_SCOPES: readonly string[] = ["openid", "profile", "email", "offline_access"];

export function isOidcScope(resource: string | undefined, scope: string): boolean {
  return OIDC_SCOPES.includes(resource !== undefined && isGraph(resource) ? scope.toLowerCase() : scope);
}

/** The same scopes, each in the spelling of `known`. A scope that `known` does not have is unchanged. */
export function inKnownSpelling(
  resource: string,
  scopes: readonly string[],
  known: readonly string[],
): readonly string[] {
  if (!isGraph(resource)) return scopes;
  return scopes.map((scope) => known.find((one) => one.toLowerCase() === scope.toLowerCase()) ?? scope);
}

/** The scope without its resource. Undefined: it does not begin with this resource. */
export function withoutResource(resource: string, scope: string): string | undefined {
  for (const name of namesOf(resource)) {
    const prefix = `${name}/`;
    const start = scope.slice(0, prefix.length);
    if (start !== prefix && !(ignoresCase(resource) && start.toLowerCase() === prefix)) continue;
    const bare = scope.slice(prefix.length);
    // A resource that ends with a slash makes two slashes: https://graph.microsoft.com//.default
    return isGraph(resource) && bare.startsWith("/") ? bare.slice(1) : bare;
  }
  return undefined;
}

/** True if a request means this resource. */
export function isResource(resource: string, requested: string): boolean {
  if (requested === resource) return true;
  const plain = isGraph(resource) ? requested.replace(/\/$/, "") : requested;
  return ignoresCase(resource) && namesOf(resource).includes(plain.toLowerCase());
}

/** True if the scope begins with a resource, of any API: a URI or a GUID. */
export function hasResource(scope: string): boolean {
  const [start = "", ...rest] = scope.split("/");
  return scope.includes("://") || (rest.length > 0 && GUID.test(start));
}

// ---------------------------------------------------------------------------------------------------------------

/** A GUID has no case. The policy has it in lower case. */
function ignoresCase(resource: string): boolean {
  return isGraph(resource) || GUID.test(resource);
}

function namesOf(resource: string): readonly string[] {
  return isGraph(resource) ? [resource, GRAPH_APP_ID] : [resource];
}
