/**
 * Finds the requested scopes that the user has not consented to, and stores the user's consent.
 * https://learn.microsoft.com/entra/identity-platform/permissions-consent-overview
 */
import type { Directory, Registration, User } from "../directory/directory.ts";
import type { ScopeRequest } from "../oauth/scopes.ts";

export interface ConsentTenant {
  readonly directory: Directory;
}

export interface ConsentNeed {
  /** `openid profile email offline_access`. Like Entra, the tenant stores consent for them with Microsoft Graph. */
  readonly oidc: readonly string[];
  /** Permission names of all resources. */
  readonly names: readonly string[];
}

export function missingConsent(
  tenant: ConsentTenant,
  client: Registration,
  user: User,
  scopes: readonly ScopeRequest[],
): ConsentNeed {
  const needs = scopes.map((scope) => missingFor(tenant, client, user, scope));
  return { oidc: unique(needs.flatMap(({ oidc }) => oidc)), names: needs.flatMap(({ names }) => names) };
}

/** Lists all requested scopes. `.default` stands for the required permissions of the registration. */
export function requestedScopes(client: Registration, scopes: readonly ScopeRequest[]): ConsentNeed {
  return {
    oidc: unique(scopes.flatMap(({ oidc }) => [...oidc])),
    names: scopes.flatMap((scope) => namesOf(client, scope)),
  };
}

export function isEmpty(need: ConsentNeed): boolean {
  return need.oidc.length + need.names.length === 0;
}

export function recordConsent(
  tenant: ConsentTenant,
  client: Registration,
  user: User,
  scopes: readonly ScopeRequest[],
): void {
  const add = (resourceId: string, names: readonly string[]) => {
    if (names.length === 0) return;
    const row = { clientId: client.clientId, resourceId, userOid: user.oid };
    tenant.directory.consents.push({ ...row, scopes: new Set(names) });
  };
  for (const scope of scopes) {
    const { oidc, names } = missingFor(tenant, client, user, scope);
    add(graphId(tenant), oidc);
    add(scope.resource.clientId, names);
  }
}

function missingFor(tenant: ConsentTenant, client: Registration, user: User, scope: ScopeRequest): ConsentNeed {
  const given = (resourceId: string) => tenant.directory.consentedScopes(client.clientId, resourceId, user.oid);
  const [consented, graph] = [given(scope.resource.clientId), given(graphId(tenant))];
  return {
    oidc: [...scope.oidc].filter((name) => !graph.includes(name)),
    names: namesOf(client, scope).filter((name) => !consented.includes(name)),
  };
}

function namesOf(client: Registration, { resource, names }: ScopeRequest): readonly string[] {
  return names.includes(".default") ? (client.requiredAccess[resource.clientId] ?? []) : names;
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}

function graphId(tenant: ConsentTenant): string {
  return tenant.directory.registration("graph")?.clientId ?? "";
}
