/**
 * Reads what is consented for one registration, from its service principal: delegated permissions, application
 * permissions, and the applications that hold its app roles.
 *
 * Sources: https://learn.microsoft.com/graph/api/serviceprincipal-list-oauth2permissiongrants,
 * https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignments,
 * https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto
 */
import * as z from "zod/mini";
import { GUID } from "../../shared/core/guid.ts";
import { CliFailure } from "../cli/cli-failure.ts";
import { EXIT } from "../cli/exit-codes.ts";
import { type Api, readApi } from "./api.ts";
import type { FindApi } from "./find-api.ts";
import { type GraphClient, odataString } from "./graph-client.ts";

export interface DelegatedConsent {
  readonly id: string;
  /** Object id of the API's service principal. */
  readonly resourceId: string;
  /** Object id of the person. Undefined: an administrator consented for all persons. */
  readonly personId: string | undefined;
  readonly scopes: readonly string[];
}

export interface RoleAssignment {
  readonly id: string;
  readonly principalId: string;
  readonly resourceId: string;
  readonly roleId: string;
}

export interface Consent {
  readonly principal: Api;
  readonly delegated: readonly DelegatedConsent[];
  /** Application permissions that the registration holds. */
  readonly roles: readonly RoleAssignment[];
  /** App roles of the registration that others hold. */
  readonly assignedTo: readonly RoleAssignment[];
  /** The service principals of the APIs in `delegated` and `roles`, by object id. */
  readonly apis: ReadonlyMap<string, Api>;
}

/** Undefined: the registration has no service principal in the tenant. */
export async function readConsent(graph: GraphClient, find: FindApi, clientId: string): Promise<Consent | undefined> {
  const principal = await find(clientId);
  if (principal?.objectId === undefined) return undefined;
  const at = `/v1.0/servicePrincipals/${encodeURIComponent(principal.objectId)}`;
  const delegated = await readAll(graph, `${at}/oauth2PermissionGrants`, toDelegatedConsent);
  const roles = await readAll(graph, `${at}/appRoleAssignments`, toRoleAssignment);
  const assignedTo = await readAll(graph, `${at}/appRoleAssignedTo`, toRoleAssignment);
  const apis = new Map<string, Api>();
  for (const { resourceId } of [...delegated, ...roles]) {
    if (apis.has(resourceId)) continue;
    const filter = encodeURIComponent(`id eq ${odataString(resourceId)}`);
    const [api] = await readAll(graph, `/v1.0/servicePrincipals?$filter=${filter}`, readApi);
    if (api !== undefined) apis.set(resourceId, api);
  }
  return { principal, delegated, roles, assignedTo, apis };
}

// ---------------------------------------------------------------------------------------------------------------

/** Ids are part of the commands that the report prints. */
const guid = z.string().check(z.regex(GUID));
const opaqueId = z.string().check(z.regex(/^[\w-]+$/));

const grantSchema = z.object({
  id: opaqueId,
  resourceId: guid,
  consentType: z.string(),
  principalId: z.nullish(guid),
  scope: z.nullish(z.string()),
});

const assignmentSchema = z.object({
  id: opaqueId,
  principalId: guid,
  resourceId: guid,
  appRoleId: guid,
});

function toDelegatedConsent(value: unknown): DelegatedConsent | undefined {
  const parsed = grantSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { id, resourceId, consentType, principalId, scope } = parsed.data;
  const scopes = (scope ?? "").split(" ").filter((name) => name !== "");
  return { id, resourceId, personId: consentType === "AllPrincipals" ? undefined : (principalId ?? ""), scopes };
}

function toRoleAssignment(value: unknown): RoleAssignment | undefined {
  const parsed = assignmentSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { appRoleId, ...rest } = parsed.data;
  return { ...rest, roleId: appRoleId };
}

/** An item that cannot be read would make the report wrong, so it ends the report. */
async function readAll<T>(
  graph: GraphClient,
  path: string,
  read: (value: unknown) => T | undefined,
): Promise<readonly T[]> {
  const items = (await graph.list(path)).map(read);
  const known = items.filter((item) => item !== undefined);
  if (known.length === items.length) return known;
  throw new CliFailure(EXIT.unavailable, "unexpected_response", `Microsoft Graph answered an unknown form at ${path}.`);
}
