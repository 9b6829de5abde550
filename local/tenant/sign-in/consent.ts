/**
 * Which of the asked scopes the person has not consented to, and the record once they have.
 * https://learn.microsoft.com/entra/identity-platform/permissions-consent-overview
 */
import type { Registration, User } from "../directory/directory.ts";
import type { ScopeRequest } from "../oauth/scopes.ts";
import type { Tenant } from "../tenant.ts";

export interface ConsentNeed {
  /** `openid profile email offline_access`: kept with Microsoft Graph, as Entra does. */
  readonly oidc: readonly string[];
  /** Permission names of the resource. */
  readonly names: readonly string[];
}

export function missingConsent(tenant: Tenant, client: Registration, user: User, scope: ScopeRequest): ConsentNeed {
  const asked = askedScopes(client, scope);
  const given = (resourceId: string) => tenant.directory.consentedScopes(client.clientId, resourceId, user.oid);
  const [own, graph] = [given(scope.resource.clientId), given(graphId(tenant))];
  return {
    oidc: asked.oidc.filter((name) => !graph.includes(name)),
    names: asked.names.filter((name) => !own.includes(name)),
  };
}

/** `.default` stands for what the registration says it needs. */
export function askedScopes(client: Registration, { oidc, resource, names }: ScopeRequest): ConsentNeed {
  const registered = client.requiredAccess[resource.clientId] ?? [];
  return { oidc: [...oidc], names: names.includes(".default") ? registered : names };
}

export function isEmpty(need: ConsentNeed): boolean {
  return need.oidc.length + need.names.length === 0;
}

export function recordConsent(tenant: Tenant, client: Registration, user: User, scope: ScopeRequest): void {
  const { oidc, names } = missingConsent(tenant, client, user, scope);
  const add = (resourceId: string, scopes: readonly string[]) => {
    if (scopes.length === 0) return;
    const row = { clientId: client.clientId, resourceId, userOid: user.oid };
    tenant.directory.consents.push({ ...row, scopes: new Set(scopes) });
  };
  add(graphId(tenant), oidc);
  add(scope.resource.clientId, names);
}

function graphId(tenant: Tenant): string {
  return tenant.directory.registration("graph")?.clientId ?? "";
}
