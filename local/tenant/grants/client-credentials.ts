/**
 * Client credentials: a token of the application itself. Its permissions are its assigned app roles (E-33, E-45).
 */
import { entraError } from "../errors/entra-error.ts";
import { parseDefaultScope } from "../oauth/scopes.ts";
import { required } from "../oauth/token-request.ts";
import type { Grant } from "./grant.ts";

export const clientCredentialsGrant: Grant = {
  name: "client_credentials",
  wireNames: ["client_credentials"],
  confidentialOnly: true,
  anyTenant: false,
  redeem: ({ tenant, form, client }) => {
    const { resource, audience } = parseDefaultScope(tenant, required(form, "scope"));
    const roles = tenant.directory.rolesOf(client.objectId, resource.clientId);
    if (resource.assignmentRequired && roles.length === 0) {
      throw entraError(501051, {
        app: client.clientId,
        name: client.displayName,
        resource: resource.clientId,
        resourceName: resource.displayName,
      });
    }
    return { kind: "app", resource, audience };
  },
};
