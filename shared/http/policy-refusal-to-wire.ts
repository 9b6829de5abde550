/**
 * Policy's refusals as responses. The caller is authenticated, so the message may say which rule refused it. The action
 * is `fix_request` where no policy could allow the request, and `ask_admin` where the administrator could.
 */
import type { PolicyRefusal } from "../core/failure.ts";
import type { Action, Dialect, Wire } from "./wire.ts";

const REFUSALS: Readonly<Record<PolicyRefusal, readonly [error: string, description: string, action?: Action]>> = {
  caller_not_listed: ["unauthorized_client", "The policy has no entry for this caller. Ask your administrator."],
  public_client: [
    "unauthorized_client",
    "The policy requires a confidential client, and this caller is a public client. Ask your administrator.",
  ],
  user_required: [
    "unauthorized_client",
    "This request needs a user's token. An application redeems a grant instead.",
    "fix_request",
  ],
  application_required: [
    "unauthorized_client",
    "This request needs an application's own token, and the caller is a user.",
    "fix_request",
  ],
  role_required: [
    "unauthorized_client",
    "This request needs an app role that the caller does not have. Ask your administrator.",
  ],
  flow_not_allowed: [
    "unauthorized_client",
    "The policy does not allow this flow for this caller. Ask your administrator.",
  ],
  import_not_allowed: [
    "unauthorized_client",
    "The policy does not allow refresh tokens from Entra for this caller. Use a grant, or ask your administrator.",
  ],
  unattended_not_allowed: [
    "unauthorized_client",
    "The policy does not allow unattended grants for this application. Ask your administrator.",
  ],
  subject_client_not_allowed: [
    "unauthorized_client",
    "The policy does not allow this caller to exchange tokens of that client. Ask your administrator.",
  ],
  offline_access_not_allowed: [
    "invalid_scope",
    "The policy does not allow grants for this caller. Leave out offline_access, or ask your administrator.",
  ],
  scope_not_allowed: [
    "invalid_scope",
    "The policy does not allow one of the requested scopes for this caller. Leave it out, or ask your administrator.",
  ],
  api_unknown: [
    "invalid_target",
    "The policy does not define this API. Check the name or the resource.",
    "fix_request",
  ],
  api_not_allowed: ["invalid_target", "The policy does not allow this API for this caller. Ask your administrator."],
  api_ambiguous: ["invalid_target", "The request names more than one API. Name one.", "fix_request"],
  redirect_uri_not_allowed: [
    "invalid_request",
    "redirect_uri does not exactly match a redirect URI in the policy.",
    "fix_request",
  ],
  link_caller_not_own: [
    "unauthorized_client",
    "An application can create links only for itself. Leave out caller.",
    "fix_request",
  ],
  api_not_named: [
    "invalid_target",
    "The request does not name an API. Use audience, resource or scopes with their resource.",
    "fix_request",
  ],
};

export function policyRefusalToWire(reason: PolicyRefusal, dialect: Dialect): Wire {
  const [error, description, action = "ask_admin"] = REFUSALS[reason];
  return { status: dialect === "oauth" ? 400 : statusOf(reason), error, code: reason, description, action };
}

/** 404: the clients of Microsoft's sidecar expect it for an API that is not configured. */
function statusOf(reason: PolicyRefusal): number {
  return reason === "api_unknown" ? 404 : 403;
}
