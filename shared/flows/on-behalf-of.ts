/**
 * On-behalf-of: a user's token for this service becomes a user's token for an API (RFC 7523 with Entra's extensions).
 * Entra validates the assertion again and tolerates no clock difference. A token of another user is never used.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
 */

import type { UserCaller } from "../caller/caller.ts";
import { fail } from "../core/result.ts";
import { isSameUser } from "../core/user-identity.ts";
import { type Flow, qualifiedScopes } from "./flow.ts";

export interface UserSubject {
  readonly source: "user";
  /** Validated like a caller, as a user token. A user who exchanges its own token is both caller and subject. */
  readonly user: UserCaller;
  readonly presentedAs: "subject_token" | "assertion";
}

export const onBehalfOf: Flow<UserSubject> = {
  identity: ({ user }) => ({
    kind: "user",
    tenantId: user.tenantId,
    objectId: user.objectId,
    clientId: user.clientId,
    assertionDigest: user.tokenDigest,
  }),
  // The user's right ends with the assertion, even if Entra's token lives longer.
  notAfterSeconds: ({ user }) => user.expiresAtSeconds,
  async acquire({ entra, onOtherUser }, { user, presentedAs }, { entitlement, claims, correlationId, trace }) {
    const acquired = await entra.onBehalfOf({
      assertion: user.token,
      presentedAs,
      scopes: qualifiedScopes(entitlement),
      claims,
      correlationId,
      trace,
      cae: entitlement.cae,
    });
    if (!acquired.ok || acquired.value.user === undefined || isSameUser(acquired.value.user, user)) return acquired;
    onOtherUser(user, acquired.value.user);
    return fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
  },
};
