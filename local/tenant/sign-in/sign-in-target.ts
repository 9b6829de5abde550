/**
 * The two targets of a sign-in, an authorization request and a device, with the same interface: the subject of the sign-in,
 * and the answers when it is done or refused.
 */
import type { User } from "../directory/directory.ts";
import { EntraError, entraError } from "../errors/entra-error.ts";
import type { AuthorizationCodes } from "../oauth/authorization-codes.ts";
import type { ClientTenant } from "../oauth/client-authentication.ts";
import type { DeviceCodeRecord, DeviceCodes } from "../oauth/device-codes.ts";
import { parseClaimsRequest } from "../oauth/requirements.ts";
import { parseScopes } from "../oauth/scopes.ts";
import { readAuthorizeRequest } from "./authorize-request.ts";
import type { SignInSubject } from "./next-step.ts";
import { errorPage } from "./pages/error-page.ts";
import { messagePage } from "./pages/sign-in-pages.ts";
import { type ReplyTenant, replyWith, replyWithError } from "./reply.ts";
import { readReplyAddress } from "./reply-address.ts";
import type { SignInTarget } from "./sign-in-flow.ts";

export interface TargetTenant extends ClientTenant, ReplyTenant {
  readonly codes: AuthorizationCodes;
  readonly deviceCodes: DeviceCodes;
}

export interface OpenTarget {
  readonly subject: SignInSubject;
  /** True for a device: the user confirms before the device gets tokens. */
  readonly confirms: boolean;
  done(user: User, satisfied: readonly string[], sessionId: string): Response;
  refuse(failure: EntraError): Response;
}

/** Throws errors for a page. Returns a response for an error that goes to the client. */
export function openTarget(tenant: TargetTenant, target: SignInTarget): OpenTarget | Response {
  return target.kind === "authorize"
    ? openAuthorize(tenant, new Map(target.params))
    : openDevice(tenant, target.userCode);
}

function openAuthorize(tenant: TargetTenant, params: ReadonlyMap<string, string>): OpenTarget | Response {
  const reply = readReplyAddress(tenant, params);
  const refuse = (failure: EntraError) => replyWithError(tenant, reply, failure);
  try {
    const request = readAuthorizeRequest(tenant, reply, params);
    return {
      subject: request,
      confirms: false,
      refuse,
      done: (user, satisfied, sessionId) => {
        const { client, redirectUri, scopes, nonce, codeChallenge, codeChallengeMethod, clientInfo } = request;
        const code = tenant.codes.issue({
          userOid: user.oid,
          clientId: client.clientId,
          redirectUri,
          scope: scopes[0].text,
          satisfied,
          ...(nonce === undefined ? {} : { nonce }),
          ...(codeChallenge === undefined ? {} : { codeChallenge, codeChallengeMethod }),
        });
        const info = JSON.stringify({ uid: user.oid, utid: tenant.tenantId });
        const client_info = clientInfo ? Buffer.from(info).toString("base64url") : undefined;
        return replyWith(reply, { code, client_info, session_state: sessionId });
      },
    };
  } catch (failure) {
    if (failure instanceof EntraError) return refuse(failure);
    throw failure;
  }
}

function openDevice(tenant: TargetTenant, userCode: string): OpenTarget {
  const record = tenant.deviceCodes.pendingByUserCode(userCode);
  const client = record && tenant.directory.registration(record.clientId);
  if (record === undefined || client === undefined) throw entraError(70019);
  return {
    subject: {
      client,
      scopes: [parseScopes(tenant, record.scope, "refuse")],
      claims: parseClaimsRequest(record.claims),
      prompt: undefined,
      loginHint: undefined,
    },
    confirms: true,
    refuse: (failure) => declineDevice(tenant, record, failure),
    done: (user, satisfied) => {
      record.decision = { userOid: user.oid, satisfied };
      const text = `You have signed in to the ${client.displayName} application on your device. You may now close this window.`;
      return messagePage(client.displayName, "device-approved", text);
    },
  };
}

/** If the user cancels, the device gets a denial. Other refusals are shown, and the device keeps waiting. */
function declineDevice(tenant: TargetTenant, record: DeviceCodeRecord, failure: EntraError): Response {
  if (failure.code !== 65004) return errorPage(tenant, failure);
  record.decision = "declined";
  return messagePage("Sign-in cancelled", "device-declined", "You declined. You may now close this window.");
}
