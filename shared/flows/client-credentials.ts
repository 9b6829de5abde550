/**
 * Client credentials: the application's own token, from the second registration that holds no delegated subject.
 * Entra gives every application subject that was consented; it takes no scopes but `.default`.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */

import type { Flow } from "./flow.ts";
import type { Subject } from "./subject.ts";

export const clientCredentials: Flow<Extract<Subject, { source: "application" }>> = {
  identity: () => ({ kind: "application" }),
  notAfterSeconds: () => undefined,
  acquire: ({ entra }, _subject, { entitlement, claims, correlationId, trace }) =>
    entra.clientCredentials({
      scopes: [`${entitlement.api.resource}/.default`],
      claims,
      correlationId,
      trace,
      cae: entitlement.cae,
    }),
};
