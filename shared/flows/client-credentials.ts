/**
 * Client credentials: the application's own token, from the second registration that holds no delegated permission.
 * Entra gives every application permission that was consented; it takes no scopes but `.default`.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
import type { Permission } from "../permission.ts";
import type { Flow } from "./flow.ts";

export const clientCredentials: Flow<Extract<Permission, { source: "application" }>> = {
  identity: () => ({ kind: "application" }),
  notAfterSeconds: () => undefined,
  acquire: ({ entra }, _permission, { entitlement, claims, correlationId, trace }) =>
    entra.clientCredentials({
      scopes: [`${entitlement.api.resource}/.default`],
      claims,
      correlationId,
      trace,
      cae: entitlement.cae,
    }),
};
