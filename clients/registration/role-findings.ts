/**
 * The part of the report about app roles: application permissions of a registration, and the app role `Exchange.Call`
 * of the applications that call with their own token. Pure.
 */
import type { CallerRule } from "../../shared/policy/rules.ts";
import type { Comparison, ConsentFinding } from "./consent-finding.ts";
import { deleteAt } from "./mending-commands.ts";
import type { RoleAssignment } from "./read-consent.ts";
import { APP_ONLY_REGISTRATION } from "./required-permissions.ts";
import type { ResolvedApi } from "./resolve-permissions.ts";

export function roleFindings(comparison: Comparison): ConsentFinding[] {
  const isAppOnly = comparison.registration.name === APP_ONLY_REGISTRATION;
  return isAppOnly
    ? comparison.registration.apis.flatMap((api) => applicationFindings(comparison, api))
    : [...heldRoles(comparison), ...callersWithoutRole(comparison)];
}

// ---------------------------------------------------------------------------------------------------------------

/** Compared only if the administrator named the permissions with --app-only: the policy does not name them. */
function applicationFindings(comparison: Comparison, api: ResolvedApi): ConsentFinding[] {
  const { consent, registration } = comparison;
  const held = consent.roles.filter(({ resourceId }) => consent.apis.get(resourceId)?.appId === api.appId);
  const callers = registration.callers.filter(
    ({ apis }) => Object.hasOwn(apis, api.api) && apis[api.api]?.includes(".default"),
  );
  if (api.permissions.length === 0) return held.length > 0 ? [] : [withoutPermission(api, callers)];
  const missing = api.permissions.filter(({ id }) => !held.some(({ roleId }) => roleId === id));
  const surplus = held.filter(({ roleId }) => !api.permissions.some(({ id }) => id === roleId));
  return [
    ...(missing.length === 0 ? [] : [missingPermissions(comparison, api, missing, callers)]),
    ...(surplus.length === 0 ? [] : [surplusRoles(comparison, surplus, "not in --app-only")]),
  ];
}

function withoutPermission(api: ResolvedApi, callers: readonly CallerRule[]): ConsentFinding {
  return {
    kind: "missing",
    what: `${api.displayName}: the registration has no application permission`,
    effects: callers.map(({ name }) => noPermission(name, api)),
    mend: [`Name the permissions, for example: --app-only ${api.api}=<permission>,<permission>`],
  };
}

function missingPermissions(
  { commands, consent }: Comparison,
  api: ResolvedApi,
  missing: ResolvedApi["permissions"],
  callers: readonly CallerRule[],
): ConsentFinding {
  const resourceId = api.objectId ?? `<object id: az ad sp show --id ${api.appId} --query id>`;
  return {
    kind: "missing",
    what: `${api.displayName}: ${missing.map(({ name }) => name).join(" ")} (application)`,
    effects: callers.map(({ name }) => noPermission(name, api)),
    mend: missing.map(({ id }) =>
      commands.assignRole({ principalId: consent.principal.objectId ?? "", resourceId, appRoleId: id }),
    ),
  };
}

function noPermission(caller: string, { displayName }: ResolvedApi) {
  return { caller, code: "no_permission", text: `a token that ${displayName} refuses with 403` } as const;
}

/** The registration that serves people should hold no application permission. */
function heldRoles(comparison: Comparison): ConsentFinding[] {
  const { roles } = comparison.consent;
  return roles.length === 0 ? [] : [surplusRoles(comparison, roles, "the service never uses it")];
}

function surplusRoles(
  { consent, commands }: Comparison,
  roles: readonly RoleAssignment[],
  why: string,
): ConsentFinding {
  const nameOf = ({ resourceId, roleId }: RoleAssignment) => {
    const api = consent.apis.get(resourceId);
    return `${api?.displayName ?? resourceId}: ${api?.application.find(({ id }) => id === roleId)?.name ?? roleId}`;
  };
  return {
    kind: "surplus",
    what: `${roles.map(nameOf).join(", ")} (application; ${why})`,
    effects: [],
    mend: roles.map(({ id }) =>
      deleteAt(commands, `/v1.0/servicePrincipals/${consent.principal.objectId}/appRoleAssignments/${id}`),
    ),
  };
}

const CALL_ROLE = "Exchange.Call";

/** An application without the app role gets no token from Entra, or one that the service refuses. */
function callersWithoutRole({ registration, consent, commands, principals }: Comparison): ConsentFinding[] {
  const role = consent.principal.application.find(({ name }) => name === CALL_ROLE);
  const holders = new Set(
    consent.assignedTo.filter(({ roleId }) => roleId === role?.id).map(({ principalId }) => principalId),
  );
  return registration.callers
    .filter(({ kind }) => kind === "application")
    .flatMap((entry): ConsentFinding[] => {
      const principalId = entry.clientId === undefined ? undefined : principals.get(entry.clientId);
      if (entry.clientId === undefined || (principalId !== undefined && holders.has(principalId))) return [];
      const assign = (id: string) =>
        role === undefined
          ? `Add the app role ${CALL_ROLE} to the registration: deploy infra/entra/entra.bicep.`
          : commands.assignRole({
              principalId: id,
              resourceId: consent.principal.objectId ?? "",
              appRoleId: role.id,
            });
      return [
        {
          kind: "missing",
          what: `${consent.principal.displayName}: app role ${CALL_ROLE} of ${entry.name} (${entry.clientId})`,
          effects: [
            {
              caller: entry.name,
              code: "token_role_missing",
              text: "AADSTS501051 from Entra, or token_role_missing from the service",
            },
          ],
          mend: [principalId === undefined ? `az ad sp create --id ${entry.clientId}` : assign(principalId)],
        },
      ];
    });
}
