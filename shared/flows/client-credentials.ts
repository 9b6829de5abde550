/**
 * Client credentials: the application's own token, from the app-only registration, which has no delegated permissions.
 * Entra accepts only `.default` here and returns every application permission that was consented.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */

import type { Flow } from "./flow.ts";

export interface ApplicationSubject {
  readonly source: "application";
}

export const clientCredentials: Flow<ApplicationSubject> = {
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
