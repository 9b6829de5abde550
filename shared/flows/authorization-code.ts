/**
 * Authorization code: a person signed in at Entra and came back through our callback. Entra's code and our verifier and
 * nonce travelled in our own sealed code; Entra takes a code once, so a replay ends there (54005).
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#redeem-a-code-for-an-access-token
 */

import { fail } from "../core/result.ts";
import { type Flow, qualifiedScopes } from "./flow.ts";
import type { Subject } from "./subject.ts";

export const authorizationCode: Flow<Extract<Subject, { source: "code" }>> = {
  identity: () => undefined,
  notAfterSeconds: () => undefined,
  async acquire({ entra, allowGuests }, { code }, { entitlement, claims, correlationId, trace }) {
    const redeemed = await entra.redeemCode({
      code: code.entraCode,
      codeVerifier: code.verifier,
      nonce: code.nonce,
      scopes: qualifiedScopes(entitlement),
      claims,
      correlationId,
      trace,
      cae: entitlement.cae,
    });
    if (redeemed.ok && redeemed.value.person.guest && !allowGuests) {
      return fail({ kind: "sign_in_refused", reason: "guest" });
    }
    return redeemed;
  },
};
