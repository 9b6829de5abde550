/**
 * The commands that change consent in Entra, to be read and pasted by an administrator. This program sends none of them.
 *
 * Sources: https://learn.microsoft.com/graph/api/oauth2permissiongrant-post and oauth2permissiongrant-update,
 * https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto
 */
import type { Consent, DelegatedConsent } from "./read-consent.ts";
import type { ResolvedApi } from "./resolve-permissions.ts";

export interface MendingCommands {
  /** For example https://graph.microsoft.com. */
  readonly graphUrl: string;
  /** Consent to exactly the permissions of the policy, for all persons: changes `existing`, or creates it. */
  consentForEveryone(consent: Consent, api: ResolvedApi, existing: DelegatedConsent | undefined): string;
  /** Without scopes, deletes the consent. */
  replaceScopes(grant: DelegatedConsent, scopes: readonly string[]): string;
  assignRole(role: { readonly principalId: string; readonly resourceId: string; readonly appRoleId: string }): string;
}

export function createMendingCommands(graphUrl: string): MendingCommands {
  const at = { graphUrl };
  const replaceScopes: MendingCommands["replaceScopes"] = ({ id }, scopes) =>
    scopes.length === 0
      ? deleteAt(at, `/v1.0/oauth2PermissionGrants/${id}`)
      : write(at, "PATCH", `/v1.0/oauth2PermissionGrants/${id}`, { scope: scopes.join(" ") });
  return {
    graphUrl,
    replaceScopes,
    consentForEveryone: ({ principal }, { objectId, appId, permissions }, existing) => {
      const names = permissions.map(({ name }) => name);
      if (existing !== undefined) return replaceScopes(existing, names);
      return write(at, "POST", "/v1.0/oauth2PermissionGrants", {
        clientId: principal.objectId,
        consentType: "AllPrincipals",
        // The API was not looked up in the tenant.
        resourceId: objectId ?? `<object id: az ad sp show --id ${appId} --query id>`,
        scope: names.join(" "),
      });
    },
    assignRole: (role) => write(at, "POST", `/v1.0/servicePrincipals/${role.resourceId}/appRoleAssignedTo`, role),
  };
}

export function deleteAt({ graphUrl }: Pick<MendingCommands, "graphUrl">, path: string): string {
  return `az rest --method DELETE --url ${graphUrl}${path}`;
}

// ---------------------------------------------------------------------------------------------------------------

/** The body contains only names and ids of Entra. A quotation mark would end the argument of a shell. */
function write({ graphUrl }: Pick<MendingCommands, "graphUrl">, method: string, path: string, body: object): string {
  const json = JSON.stringify(body).replaceAll("'", "\\u0027");
  return `az rest --method ${method} --url ${graphUrl}${path} --headers Content-Type=application/json --body '${json}'`;
}
