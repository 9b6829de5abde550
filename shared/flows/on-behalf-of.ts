/**
 * On-behalf-of: a user's token for us becomes a user's token for an API (RFC 7523 as Entra extends it). Entra checks the
 * assertion again and is stricter: it tolerates no clock difference.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
 */
import type { Permission } from "../permission.ts";
import { type Flow, qualifiedScopes } from "./flow.ts";

export const onBehalfOf: Flow<Extract<Permission, { source: "user" }>> = {
  identity: ({ subject }) => ({
    kind: "user",
    tenantId: subject.tenantId,
    objectId: subject.objectId,
    clientId: subject.clientId,
    assertionDigest: subject.tokenDigest,
  }),
  // The user's right ends with the assertion, however long Entra's token lives.
  notAfterSeconds: ({ subject }) => subject.expiresAtSeconds,
  acquire: ({ entra }, { subject, presentedAs }, { entitlement, claims, correlationId, trace }) =>
    entra.onBehalfOf({
      assertion: subject.token,
      presentedAs,
      scopes: qualifiedScopes(entitlement),
      claims,
      correlationId,
      trace,
      cae: entitlement.cae,
    }),
};
