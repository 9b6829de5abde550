/** Finds the service principal of an API by its resource in the policy: an App ID URI or an application id. */
import { GRAPH_APP_ID, isGraph } from "../../shared/core/graph-resource.ts";
import { GUID } from "../../shared/core/guid.ts";
import { type Api, hasName, readApi } from "./api.ts";
import { type GraphClient, odataString } from "./graph-client.ts";

export type FindApi = (resource: string) => Promise<Api | undefined>;

export function findInList(apis: readonly Api[]): FindApi {
  return async (resource) => apis.find((api) => hasName(api, isGraph(resource) ? GRAPH_APP_ID : resource));
}

/** Asks Microsoft Graph. Entra ignores one trailing slash of a resource (docs/facts.md, E-31), a filter does not. */
export function findInTenant(graph: GraphClient): FindApi {
  const found = new Map<string, Promise<Api | undefined>>();
  const ask = async (resource: string) => {
    const [first] = await servicePrincipals(graph, resource);
    if (first !== undefined || GUID.test(resource)) return first;
    const other = resource.endsWith("/") ? resource.slice(0, -1) : `${resource}/`;
    return (await servicePrincipals(graph, other))[0];
  };
  return (resource) => {
    const name = isGraph(resource) ? GRAPH_APP_ID : resource;
    const answer = found.get(name) ?? ask(name);
    found.set(name, answer);
    return answer;
  };
}

async function servicePrincipals(graph: GraphClient, name: string): Promise<readonly Api[]> {
  const filter = `servicePrincipalNames/any(n:n eq ${odataString(name)})`;
  const items = await graph.list(`/v1.0/servicePrincipals?$filter=${encodeURIComponent(filter)}&$select=${MEMBERS}`);
  return items.map(readApi).filter((api) => api !== undefined);
}

const MEMBERS = "id,appId,displayName,servicePrincipalNames,oauth2PermissionScopes,appRoles";
