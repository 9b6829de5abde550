/**
 * The part of Microsoft Graph that an administrator reads: service principals, delegated consent and app role assignments.
 * A filter that Graph does not support is refused as Graph does.
 *
 * Source: https://learn.microsoft.com/graph/api/resources/serviceprincipal
 */
import { createHash } from "node:crypto";
import type { Consent, Directory, Registration, RoleAssignment } from "../directory/directory.ts";
import { CLIENT_IDS } from "../directory/seed-ids.ts";
import type { JsonObject } from "../keys/compact-jws.ts";
import { rolesOf, scopesOf } from "../oauth/bearer.ts";
import { type GraphAnswer, type GraphContext, graphError, graphSuccess } from "./graph-answer.ts";
import { graphPermissionId } from "./graph-permission-ids.ts";

export interface ServicePrincipalRequest {
  /** Without the version. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly claims: JsonObject;
}

const READERS = ["Application.Read.All", "Directory.Read.All", "Directory.AccessAsUser.All"];

export function answerServicePrincipals(
  directory: Directory,
  context: GraphContext,
  { path, query, claims }: ServicePrincipalRequest,
): GraphAnswer {
  if (!READERS.some((name) => [...scopesOf(claims), ...rolesOf(claims)].includes(name))) {
    return graphError(
      context,
      403,
      "Authorization_RequestDenied",
      "Insufficient privileges to complete the operation.",
    );
  }
  const [, , objectId, collection] = path.split("/");
  if (objectId === undefined) return list(directory, context, query.get("$filter") ?? "");
  const principal = directory.registrations.find((one) => one.objectId === objectId);
  if (principal === undefined) {
    const text = `Resource '${objectId}' does not exist or one of its queried reference-property objects are not present.`;
    return graphError(context, 404, "Request_ResourceNotFound", text);
  }
  const items = itemsOf(directory, principal, collection);
  return items === undefined
    ? graphError(context, 400, "BadRequest", `Resource not found for the segment '${collection}'.`)
    : answerList(context, `servicePrincipals('${objectId}')/${collection}`, items);
}

/** `name/any(n:n eq 'text')` or `name eq 'text'`. */
const FILTER = /^(?:servicePrincipalNames\/any\((\w+):\s*\1 eq '((?:[^']|'')*)'\)|(id|appId) eq '([^']*)')$/;

function list(directory: Directory, context: GraphContext, filter: string): GraphAnswer {
  const [, , name, member, text] = FILTER.exec(filter) ?? [];
  if (name === undefined && member === undefined) {
    return graphError(
      context,
      400,
      "Request_UnsupportedQuery",
      "Unsupported or invalid query filter clause specified.",
    );
  }
  const isWanted = (one: Registration) => {
    if (name !== undefined) return namesOf(one).includes(name.replaceAll("''", "'"));
    return (member === "id" ? one.objectId : one.clientId) === text;
  };
  return answerList(context, "servicePrincipals", directory.registrations.filter(isWanted).map(toServicePrincipal));
}

function answerList(context: GraphContext, name: string, value: readonly object[]): GraphAnswer {
  return graphSuccess(context, { "@odata.context": `${context.url}/v1.0/$metadata#${name}`, value });
}

function itemsOf(directory: Directory, principal: Registration, collection = ""): readonly object[] | undefined {
  const { consents, roleAssignments } = directory;
  switch (collection) {
    case "oauth2PermissionGrants":
      return consents
        .filter(({ clientId }) => clientId === principal.clientId)
        .map((consent) => toGrant(directory, principal, consent));
    case "appRoleAssignments":
      return roleAssignments
        .filter(({ principalOid }) => principalOid === principal.objectId)
        .map((assignment) => toAssignment(directory, assignment));
    case "appRoleAssignedTo":
      return roleAssignments
        .filter(({ resourceId }) => resourceId === principal.clientId)
        .map((assignment) => toAssignment(directory, assignment));
    default:
      return undefined;
  }
}

function namesOf({ appIdUris, clientId }: Registration): string[] {
  return [...appIdUris, clientId];
}

function toServicePrincipal(one: Registration): object {
  const { objectId, clientId, displayName, disabled, assignmentRequired, scopes, appRoles } = one;
  return {
    id: objectId,
    appId: clientId,
    displayName,
    accountEnabled: !disabled,
    appRoleAssignmentRequired: assignmentRequired,
    servicePrincipalNames: namesOf(one),
    oauth2PermissionScopes: scopes.map((value) => ({
      id: permissionId(one, "scope", value),
      value,
      type: value.endsWith(".All") ? "Admin" : "User",
      isEnabled: true,
      adminConsentDisplayName: value,
      userConsentDisplayName: value,
    })),
    appRoles: appRoles.map((value) => ({
      id: permissionId(one, "role", value),
      value,
      displayName: value,
      allowedMemberTypes: ["Application"],
      isEnabled: true,
      origin: "Application",
    })),
  };
}

function toGrant(directory: Directory, principal: Registration, consent: Consent): object {
  const { clientId, resourceId, userOid, scopes } = consent;
  return {
    id: shortId(`${clientId} ${resourceId} ${userOid ?? ""}`),
    clientId: principal.objectId,
    consentType: userOid === undefined ? "AllPrincipals" : "Principal",
    principalId: userOid ?? null,
    resourceId: directory.registration(resourceId)?.objectId,
    scope: [...scopes].join(" "),
  };
}

function toAssignment(directory: Directory, { principalOid, resourceId, role }: RoleAssignment): object {
  const resource = directory.registration(resourceId);
  return {
    id: shortId(`${principalOid} ${resourceId} ${role}`),
    appRoleId: resource === undefined ? undefined : permissionId(resource, "role", role),
    principalId: principalOid,
    principalType: directory.user(principalOid) === undefined ? "ServicePrincipal" : "User",
    resourceId: resource?.objectId,
    resourceDisplayName: resource?.displayName,
  };
}

/** Microsoft's ids for Graph. An application of the tenant has ids of its own, which never change. */
function permissionId({ clientId }: Registration, kind: "scope" | "role", name: string): string {
  const known = clientId === CLIENT_IDS.graph ? graphPermissionId(kind, name) : undefined;
  if (known !== undefined) return known;
  const hash = createHash("sha256").update(`${clientId} ${kind} ${name}`).digest("hex");
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

/** As Graph's ids of grants and assignments: an opaque text for use in URLs. */
function shortId(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
