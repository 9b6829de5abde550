/** The parameters of infra/entra/entra.bicep, as a parameters file of Azure Resource Manager. Pure. */
import type { CallerRule } from "../../shared/policy/rules.ts";
import { APP_ONLY_REGISTRATION, DEFAULT_REGISTRATION } from "./required-permissions.ts";
import type { ResolvedApi } from "./resolve-permissions.ts";
import type { ResolvedRegistration } from "./resolve-registrations.ts";

/** Object id of the service principal of an application, by its client id. */
export type PrincipalIds = ReadonlyMap<string, string>;

export function templateParameters(registrations: readonly ResolvedRegistration[], principals: PrincipalIds): object {
  const delegated = registrations.filter(({ name }) => name !== APP_ONLY_REGISTRATION);
  const applications = registrations.filter(({ name }) => name === APP_ONLY_REGISTRATION);
  return {
    $schema: "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
    contentVersion: "1.0.0.0",
    parameters: {
      registrations: { value: delegated.map((one) => toRegistration(one, principals)) },
      appOnlyApis: { value: applications.flatMap(({ apis }) => apis.filter(hasPermissions).map(toApi)) },
    },
  };
}

/** Client ids of the applications that people use. */
export function userClients(callers: readonly CallerRule[]): string[] {
  return clientsOf(callers, "user");
}

/** Client ids of the applications that call with their own token. */
export function applicationClients(callers: readonly CallerRule[]): string[] {
  return clientsOf(callers, "application");
}

// ---------------------------------------------------------------------------------------------------------------

function toRegistration({ name, apis, callers }: ResolvedRegistration, principals: PrincipalIds): object {
  return {
    // The registration of CLIENT_ID has no name.
    ...(name === DEFAULT_REGISTRATION ? {} : { name }),
    apis: apis.map(toApi),
    preAuthorizedClientIds: userClients(callers),
    callerPrincipalIds: applicationClients(callers).flatMap((clientId) => principals.get(clientId) ?? []),
  };
}

function toApi({ appId, permissions }: ResolvedApi): object {
  return { resourceAppId: appId, permissions: permissions.map(({ id, name }) => ({ id, name })) };
}

function hasPermissions({ permissions }: ResolvedApi): boolean {
  return permissions.length > 0;
}

function clientsOf(callers: readonly CallerRule[], kind: CallerRule["kind"]): string[] {
  return [...new Set(callers.filter((entry) => entry.kind === kind).flatMap(({ clientId }) => clientId ?? []))];
}
