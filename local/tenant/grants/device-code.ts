/**
 * Redeems a device code: one poll of the client. Entra differs from RFC 8628 section 3.5: it answers
 * `authorization_declined` in place of `access_denied`, adds `bad_verification_code` and never answers `slow_down`.
 */
import { EntraError, entraError } from "../errors/entra-error.ts";
import type { DeviceCodeRecord } from "../oauth/device-codes.ts";
import { parseScopes } from "../oauth/scopes.ts";
import { type Form, required } from "../oauth/token-request.ts";
import { activeUser, type Grant, type GrantTenant } from "./grant.ts";

export const deviceCodeGrant: Grant = {
  name: "device_code",
  /** MSAL Node sends the short name. */
  wireNames: ["urn:ietf:params:oauth:grant-type:device_code", "device_code"],
  confidentialOnly: false,
  anyTenant: true,
  redeem: ({ tenant, form, client }) => {
    const record = tenant.deviceCodes.byDeviceCode(presentedCode(form));
    if (record === undefined || record.clientId !== client.clientId) throw entraError(70018);
    const { userOid, satisfied } = decisionOf(tenant, record);
    record.redeemed = true;
    const user = activeUser(tenant, userOid);
    return { kind: "user", user, request: parseScopes(tenant, record.scope, "refuse"), satisfied };
  },
};

/** The parameter is `device_code` (RFC 8628 section 3.4). Entra also accepts `code`. */
function presentedCode(form: Form): string {
  return form.get("device_code") ?? form.get("code") ?? required(form, "device_code");
}

function decisionOf(tenant: GrantTenant, record: DeviceCodeRecord) {
  if (record.redeemed) throw entraError(54005);
  if (tenant.deviceCodes.hasExpired(record)) throw entraError(70020);
  if (record.decision === "pending") throw entraError(70016);
  if (record.decision === "declined") throw new EntraError(70018, { error: "authorization_declined" });
  return record.decision;
}
