/**
 * Redeems a refresh token (E-90 to E-93). Each redemption issues a new refresh token, and the old one stays usable. If the
 * scopes name several resources, the first resource counts.
 */
import { entraError } from "../errors/entra-error.ts";
import { INACTIVITY_MS, requireRefreshToken } from "../oauth/refresh-token.ts";
import { assertNotRevoked } from "../oauth/revocation.ts";
import { parseScopes } from "../oauth/scopes.ts";
import { required } from "../oauth/token-request.ts";
import { toLongTimestamp } from "../time/timestamps.ts";
import { activeUser, type Grant } from "./grant.ts";

export const refreshTokenGrant: Grant = {
  name: "refresh_token",
  wireNames: ["refresh_token"],
  confidentialOnly: false,
  anyTenant: true,
  redeem: ({ tenant, form, client }) => {
    const record = requireRefreshToken(tenant, required(form, "refresh_token"));
    if (record.clientId !== client.clientId) throw entraError(70000);
    if (tenant.clock.nowMs() - record.issuedAtMs > INACTIVITY_MS) {
      throw entraError(700082, { issued: toLongTimestamp(record.issuedAtMs) });
    }
    const user = activeUser(tenant, record.userOid);
    assertNotRevoked(user, record.issuedAtMs);
    const request = parseScopes(tenant, form.get("scope") ?? record.scope, "first");
    return { kind: "user", user, request, satisfied: record.satisfied };
  },
};
