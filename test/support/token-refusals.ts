/** What each reason to refuse a token must be answered with, independent of the service's own table. */
import type { SubjectRefusal } from "../../shared/core/failure.ts";
import type { TokenRefusal } from "../../shared/core/token-refusal.ts";
import type { Action } from "../../shared/http/wire.ts";

/** Code of the response, status on a header route, status at the token endpoint, action. */
export type Line = readonly [code: string, problem: 401 | 403, oauth: 400 | 401, action: Action];

/** The response for every token that is not verifiably from Entra. */
export const GENERIC: Line = ["caller_refused", 401, 401, "new_caller_token"];

export const CALLER_REFUSALS: Readonly<Record<TokenRefusal, Line>> = {
  not_compact: GENERIC,
  not_json: GENERIC,
  header_not_allowed: GENERIC,
  header_type: GENERIC,
  algorithm: GENERIC,
  key_id: GENERIC,
  key_unknown: GENERIC,
  signature: GENERIC,
  unverifiable: GENERIC,
  too_long: ["token_too_large", 401, 401, "ask_admin"],
  bearer_prefix: ["token_bearer_prefix", 401, 401, "fix_request"],
  graph_token: ["token_for_graph", 401, 401, "fix_request"],
  id_token: ["token_is_id_token", 401, 401, "fix_request"],
  audience: ["token_for_other_api", 401, 401, "fix_request"],
  issuer: ["token_wrong_tenant", 401, 401, "fix_request"],
  tenant: ["token_wrong_tenant", 401, 401, "fix_request"],
  version: ["token_version", 401, 401, "ask_admin"],
  expired: ["token_expired", 401, 401, "new_caller_token"],
  not_yet_valid: ["token_not_yet_valid", 401, 401, "ask_admin"],
  issued_in_future: ["token_not_yet_valid", 401, 401, "ask_admin"],
  lifetime: ["token_claims_invalid", 401, 401, "ask_admin"],
  claim_type: ["token_claims_invalid", 401, 401, "ask_admin"],
  identity: ["token_claims_invalid", 401, 401, "ask_admin"],
  client: ["token_claims_invalid", 401, 401, "ask_admin"],
  kind_unclear: ["token_claims_invalid", 401, 401, "ask_admin"],
  sender_constrained: ["token_not_bearer", 401, 401, "fix_request"],
  actor_token: ["token_not_bearer", 401, 401, "fix_request"],
  own_client: ["token_own_client", 401, 401, "fix_request"],
  not_an_application: ["caller_is_user", 401, 401, "fix_request"],
  scope_missing: ["token_scope_missing", 403, 400, "fix_request"],
  role_missing: ["token_role_missing", 403, 400, "ask_admin"],
  guest: ["guest_not_allowed", 403, 400, "ask_admin"],
  agent_user: ["agent_user_not_allowed", 403, 400, "fix_request"],
};

/** The codes that only the token to exchange has. All others are those of the caller's token. */
export const SUBJECT_REFUSALS: Partial<Record<SubjectRefusal, readonly [code: string, action: Action]>> = {
  role_missing: ["subject_is_application", "fix_request"],
  not_a_user: ["subject_is_application", "fix_request"],
  not_the_caller: ["subject_not_the_caller", "fix_request"],
  other_registration: ["subject_for_other_registration", "fix_request"],
};
