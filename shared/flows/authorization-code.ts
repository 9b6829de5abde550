/**
 * Authorization code: a user signed in at Entra and returned through this service's callback. The service's own
 * sealed code carries Entra's code, the PKCE verifier and the nonce. Entra redeems a code once, so a replay fails with
 * 54005.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#redeem-a-code-for-an-access-token
 */

import { fail } from "../core/result.ts";
import type { UnsealedCode } from "../sealed-state/authorization-code.ts";
import { type Flow, qualifiedScopes } from "./flow.ts";

export interface CodeSubject {
  readonly source: "code";
  readonly code: UnsealedCode;
}

export const authorizationCode: Flow<CodeSubject> = {
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
