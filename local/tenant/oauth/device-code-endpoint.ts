/**
 * `POST /{tenant}/oauth2/v2.0/devicecode` starts a sign-in that the user finishes on another device. The client authenticates
 * later, when it polls the token endpoint.
 */
import { entraError } from "../errors/entra-error.ts";
import { type ClientTenant, findClient } from "./client-authentication.ts";
import { DEVICE_CODE_LIFETIME_SECONDS, type DeviceCodes } from "./device-codes.ts";
import { parseClaimsRequest } from "./requirements.ts";
import { parseScopes } from "./scopes.ts";
import { resolveTenantSegment } from "./tenant-segment.ts";
import { parseForm, required } from "./token-request.ts";

export interface DeviceCodeTenant extends ClientTenant {
  readonly url: string;
  readonly deviceCodes: DeviceCodes;
}

export interface DeviceCodeRequest {
  method: string;
  tenantSegment: string;
  contentType: string | undefined;
  body: string;
}

/** The page that the user opens: the path of Entra's page behind https://microsoft.com/devicelogin. */
export const DEVICE_LOGIN_PATH = "/devicelogin";

export function answerDeviceCodeRequest(tenant: DeviceCodeTenant, request: DeviceCodeRequest): object {
  if (request.method !== "POST") throw entraError(900561, { method: request.method });
  if (resolveTenantSegment(request.tenantSegment) === "consumers") throw entraError(9001023);
  const form = parseForm(request.contentType, request.body);
  const client = findClient(tenant, required(form, "client_id"));
  const scope = required(form, "scope");
  parseScopes(tenant, scope, "refuse");
  const claims = form.get("claims");
  parseClaimsRequest(claims);
  const { deviceCode, userCode } = tenant.deviceCodes.issue({ clientId: client.clientId, scope, claims });
  const verificationUri = `${tenant.url}${DEVICE_LOGIN_PATH}`;
  return {
    user_code: userCode,
    device_code: deviceCode,
    verification_uri: verificationUri,
    expires_in: DEVICE_CODE_LIFETIME_SECONDS,
    interval: tenant.deviceCodes.intervalSeconds,
    message: `To sign in, use a web browser to open the page ${verificationUri} and enter the code ${userCode} to authenticate.`,
  };
}
