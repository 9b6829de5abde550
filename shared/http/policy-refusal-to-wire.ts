/**
 * Policy's refusals as responses. The caller is authenticated, so the message says which rule refused it, what the caller
 * sent and what its own entry allows. The action is `fix_request` where no policy could allow the request, and `ask_admin` where the administrator could.
 */
import { didYouMean } from "../core/did-you-mean.ts";
import type { PolicyRefusal, PolicyRefused } from "../core/failure.ts";
import { safeList, safeText } from "./safe-text.ts";
import type { Action, Dialect, Wire } from "./wire.ts";

const ASK_ADMIN = "Ask your administrator.";

type Refusal = readonly [error: string, statement: string, advice: string, action?: Action];

const REFUSALS: Readonly<Record<PolicyRefusal, Refusal>> = {
  caller_not_listed: ["unauthorized_client", "The policy has no entry for this caller.", ASK_ADMIN],
  public_client: [
    "unauthorized_client",
    "The policy requires a confidential client, and this caller is a public client.",
    ASK_ADMIN,
  ],
  user_required: [
    "unauthorized_client",
    "This request needs a user's token.",
    "An application redeems a grant instead.",
    "fix_request",
  ],
  application_required: [
    "unauthorized_client",
    "This request needs an application's own token, and the caller is a user.",
    "Call with the application's token.",
    "fix_request",
  ],
  role_required: ["unauthorized_client", "This request needs an app role that the caller does not have.", ASK_ADMIN],
  flow_not_allowed: ["unauthorized_client", "The policy does not allow this flow for this caller.", ASK_ADMIN],
  import_not_allowed: [
    "unauthorized_client",
    "The policy does not allow refresh tokens from Entra for this caller.",
    "Use a grant, or ask your administrator.",
  ],
  unattended_not_allowed: [
    "unauthorized_client",
    "The policy does not allow unattended grants for this application.",
    ASK_ADMIN,
  ],
  subject_client_not_allowed: [
    "unauthorized_client",
    "The policy does not allow this caller to exchange tokens of that client.",
    ASK_ADMIN,
  ],
  offline_access_not_allowed: [
    "invalid_scope",
    "The policy does not allow grants for this caller.",
    "Leave out offline_access, or ask your administrator.",
  ],
  scope_not_allowed: [
    "invalid_scope",
    "The policy does not allow a requested scope for this caller.",
    "Leave it out, or ask your administrator.",
  ],
  api_unknown: [
    "invalid_target",
    "The policy does not define this API.",
    "Check the name or the resource.",
    "fix_request",
  ],
  api_not_allowed: ["invalid_target", "The policy does not allow this API for this caller.", ASK_ADMIN],
  api_ambiguous: ["invalid_target", "The request names more than one API.", "Name one.", "fix_request"],
  redirect_uri_not_allowed: [
    "invalid_request",
    "redirect_uri does not exactly match a redirect URI in the policy.",
    "Send one of them unchanged, or ask your administrator to add yours.",
    "fix_request",
  ],
  link_caller_not_own: [
    "unauthorized_client",
    "An application can create links only for itself.",
    "Leave out caller.",
    "fix_request",
  ],
  relay_only: [
    "unauthorized_client",
    "The policy gives this caller no token: it may use the API through the relay only.",
    "Send the API request to /DownstreamApi/{api}/{path}.",
    "fix_request",
  ],
  downstream_not_allowed: [
    "unauthorized_client",
    "The policy does not allow this request to the API for this caller.",
    ASK_ADMIN,
  ],
  api_not_named: [
    "invalid_target",
    "The request does not name an API.",
    "Use audience, resource or scopes with their resource.",
    "fix_request",
  ],
};

/** Every reason for which policy refuses. */
export const POLICY_REFUSALS = Object.keys(REFUSALS) as readonly PolicyRefusal[];

/** What the lists of a refusal are called in its message, where it is not "Refused" and "Allowed". */
const LABELS: Partial<Record<PolicyRefusal, readonly [requested: string, listed: string]>> = {
  caller_not_listed: ["Caller", "Required app role"],
  role_required: ["Refused", "Required app role"],
  api_unknown: ["Unknown", "Known"],
  api_ambiguous: ["Named", "Allowed"],
};

export function policyRefusalToWire(refused: PolicyRefused, dialect: Dialect): Wire {
  const [error, statement, advice, action = "ask_admin"] = REFUSALS[refused.reason];
  // A page is for a person in a browser, who is not the caller that the lists belong to.
  const facts = dialect === "page" ? [] : factsOf(refused);
  const description = [statement, ...facts, advice].join(" ");
  return {
    status: dialect === "oauth" ? 400 : statusOf(refused.reason),
    error,
    code: refused.reason,
    description,
    action,
  };
}

// ------------------------------------------------------------------------------------------------------------------

/** 404: the clients of Microsoft's sidecar expect it for an API that is not configured. */
function statusOf(reason: PolicyRefusal): number {
  return reason === "api_unknown" ? 404 : 403;
}

/** What was refused and what is allowed, one sentence each. */
function factsOf({ reason, api, requested = [], listed = [] }: PolicyRefused): string[] {
  const [refusedLabel, listedLabel] = LABELS[reason] ?? ["Refused", "Allowed"];
  const candidates = reason === "scope_not_allowed" ? [...listed, "offline_access"] : listed;
  const meant = requested.flatMap((text) => didYouMean(text, candidates) ?? []);
  return [
    ...(reason === "scope_not_allowed" && api !== undefined ? [`API: ${safeText(api)}.`] : []),
    ...(requested.length === 0 ? [] : [`${refusedLabel}: ${safeList(requested)}.`]),
    ...(meant.length === 0 ? [] : [`Did you mean ${safeList(meant)}?`]),
    ...(listed.length === 0 ? [] : [`${listedLabel}: ${safeList(listed)}.`]),
  ];
}
