/**
 * Authorization code with PKCE: one use (54005), ten minutes (70008), bound to client and redirect URI.
 */
import { createHash } from "node:crypto";
import { entraError } from "../errors/entra-error.ts";
import { CODE_LIFETIME_MS, type CodeRecord } from "../oauth/authorization-codes.ts";
import { parseScopes } from "../oauth/scopes.ts";
import { type Form, required } from "../oauth/token-request.ts";
import { activeUser, type Grant } from "./grant.ts";

export const authorizationCodeGrant: Grant = {
  name: "authorization_code",
  wireNames: ["authorization_code"],
  confidentialOnly: false,
  anyTenant: true,
  redeem: ({ tenant, form, client }) => {
    const record = tenant.codes.find(required(form, "code"));
    const redirectUri = required(form, "redirect_uri");
    if (record === undefined) throw entraError(9002313);
    if (record.clientId !== client.clientId) throw entraError(70000);
    if (tenant.clock.nowMs() - record.issuedAtMs > CODE_LIFETIME_MS) throw entraError(70008);
    if (record.redeemed) throw entraError(54005);
    if (record.redirectUri !== redirectUri) {
      throw entraError(500112, { presented: redirectUri, expected: record.redirectUri });
    }
    if (!verifierMatches(record, form)) throw entraError(501481);
    record.redeemed = true;
    const user = activeUser(tenant, record.userOid);
    const request = parseScopes(tenant, form.get("scope") ?? record.scope, "first");
    return { kind: "user", user, request, satisfied: record.satisfied, nonce: record.nonce };
  },
};

function verifierMatches(record: CodeRecord, form: Form): boolean {
  if (record.codeChallenge === undefined) return true;
  const verifier = form.get("code_verifier") ?? "";
  if (record.codeChallengeMethod === "plain") return verifier === record.codeChallenge;
  return createHash("sha256").update(verifier).digest("base64url") === record.codeChallenge;
}
