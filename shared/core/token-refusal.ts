/**
 * Why the service refuses a token: one stable code for each reason, with the explanation for operators. The codes go to
 * the audit trail. `http/caller-refusal-to-wire.ts` decides what the caller learns: nothing unless the signature is
 * valid. No code contains a value of the token.
 */
export const TOKEN_REFUSALS = {
  too_long: "longer than any token that Entra issues",
  bearer_prefix: "begins with the word Bearer: the whole Authorization header was sent as a parameter",
  not_compact: "not three canonical base64url parts (RFC 7515 section 7.1): opaque, encrypted or altered",
  not_json: "header or payload is not one UTF-8 JSON object without repeated members (RFC 7519 section 7.2)",
  header_not_allowed: "header has a member that Entra never sends and that changes how a token is read",
  graph_token: "a token for Microsoft Graph, recognised by its header or its audience",
  header_type: 'header "typ" is not "JWT"',
  algorithm: 'header "alg" is not exactly "RS256"',
  key_id: 'header "kid" is missing or not a string',
  key_unknown: "signed with a key that Entra does not publish for this tenant",
  signature: "signature does not match header and payload",
  unverifiable: "the signature check itself failed; if this happens for many tokens, check the runtime",
  issuer: "issuer is not this tenant",
  version: "another token version than this deployment accepts, or one that contradicts the issuer",
  audience: "token is for another API",
  tenant: "tenant id is not the tenant of this deployment",
  expired: "expired",
  not_yet_valid: "not valid yet",
  issued_in_future: "issued in the future",
  lifetime: "expires before it was issued, or lives longer than any token that Entra issues",
  claim_type: "a claim is missing or has another type than Entra uses",
  sender_constrained: "requires a proof of possession, so it is not a bearer token",
  actor_token: "contains an actor: a service-to-service token, not the caller's own token",
  id_token: "an ID token, which identifies the user and authorises nothing",
  identity: "object id or subject is missing or malformed",
  client: "client id is missing, malformed or contradictory",
  own_client: "issued to this service's own registration",
  kind_unclear: "the claims do not show whether it is a user's or an application's token",
  not_an_application: "a user's token, presented as a client assertion",
  scope_missing: "a user's token without the scope access_as_user",
  role_missing: "an application's token without the app role Exchange.Call",
  agent_user: "the user account of an agent, which is not a person",
  guest: "a guest of this tenant, and guests are not allowed",
} as const;

export type TokenRefusal = keyof typeof TOKEN_REFUSALS;

/** The token is refused, or it cannot be checked because Entra's signing keys are not available. */
export type ValidationFailure =
  | {
      readonly kind: "token_refused";
      readonly reason: TokenRefusal;
      /** Length of a token that is too long. */
      readonly sentBytes?: number;
      /** Client id of the registration that the token is for. Undefined: the token is not genuine, or is for no registration. */
      readonly registration?: string;
    }
  | { readonly kind: "keys_unavailable" };
