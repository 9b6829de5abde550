/**
 * Policy's refusals on the wire. The caller is known by now and may read which rule it met. What no policy would ever
 * allow in these words is the caller's to mend; everything else is its administrator's to decide.
 */
import type { PolicyRefusal } from "../core/failure.ts";
import type { Action, Dialect, Wire } from "./wire.ts";

const REFUSALS: Readonly<Record<PolicyRefusal, readonly [error: string, description: string, action?: Action]>> = {
  caller_not_listed: ["unauthorized_client", "This caller is not in the policy of the service."],
  public_client: ["unauthorized_client", "This caller must be a confidential client."],
  user_required: [
    "unauthorized_client",
    "This needs a user's token; an application redeems a grant instead.",
    "fix_request",
  ],
  application_required: ["unauthorized_client", "This needs an application's own token.", "fix_request"],
  role_required: ["unauthorized_client", "This needs an app role that the caller does not have."],
  flow_not_allowed: ["unauthorized_client", "This caller may not use this flow."],
  import_not_allowed: ["unauthorized_client", "This caller may not bring refresh tokens of Entra."],
  unattended_not_allowed: ["unauthorized_client", "This application may not redeem grants by itself."],
  subject_client_not_allowed: ["unauthorized_client", "This caller may not exchange tokens of that client."],
  offline_access_not_allowed: ["invalid_scope", "This caller may not keep a permission (offline_access)."],
  scope_not_allowed: ["invalid_scope", "A scope that is asked is not in the list of this caller."],
  api_unknown: ["invalid_target", "The policy does not know this API.", "fix_request"],
  api_not_allowed: ["invalid_target", "This caller may not have tokens for this API."],
  api_ambiguous: ["invalid_target", "The request names more than one API.", "fix_request"],
  redirect_uri_not_allowed: [
    "invalid_request",
    "redirect_uri is not exactly one of those in the policy.",
    "fix_request",
  ],
  link_caller_not_own: ["unauthorized_client", "An application makes links for itself only.", "fix_request"],
  api_not_named: ["invalid_target", "Name the API with audience, resource or qualified scopes.", "fix_request"],
};

export function policyRefusalToWire(reason: PolicyRefusal, dialect: Dialect): Wire {
  const [error, description, action = "ask_admin"] = REFUSALS[reason];
  return { status: dialect === "oauth" ? 400 : 403, error, code: reason, description, action };
}
