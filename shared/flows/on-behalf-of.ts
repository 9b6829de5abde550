/**
 * On-behalf-of: a user's token for us becomes a user's token for an API (RFC 7523 as Entra extends it). Entra checks the
 * assertion again and is stricter: it tolerates no clock difference.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
 */

import { type Flow, qualifiedScopes } from "./flow.ts";
import type { Subject } from "./subject.ts";

export const onBehalfOf: Flow<Extract<Subject, { source: "user" }>> = {
  identity: ({ user }) => ({
    kind: "user",
    tenantId: user.tenantId,
    objectId: user.objectId,
    clientId: user.clientId,
    assertionDigest: user.tokenDigest,
  }),
  // The user's right ends with the assertion, however long Entra's token lives.
  notAfterSeconds: ({ user }) => user.expiresAtSeconds,
  acquire: ({ entra }, { user, presentedAs }, { entitlement, claims, correlationId, trace }) =>
    entra.onBehalfOf({
      assertion: user.token,
      presentedAs,
      scopes: qualifiedScopes(entitlement),
      claims,
      correlationId,
      trace,
      cae: entitlement.cae,
    }),
};
