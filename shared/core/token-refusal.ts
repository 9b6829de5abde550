/**
 * Stage 1 of 5: caller. Why a token is refused: one stable code per reason, with the sentence an operator reads. The
 * codes go to the audit trail; what a caller is told about them is decided in `http/`, in generic words. No code ever
 * carries a value out of the token.
 */
export const TOKEN_REFUSALS = {
  too_long: "longer than any token of Entra",
  not_compact: "not three canonical base64url parts (RFC 7515 section 7.1): opaque, encrypted or altered",
  not_json: "header or payload is not one UTF-8 JSON object without repeated members (RFC 7519 section 7.2)",
  header_not_allowed: "header has a member that Entra never sends and that changes how a token is read",
  header_type: 'header "typ" is not "JWT"',
  algorithm: 'header "alg" is not exactly "RS256"',
  key_id: 'header "kid" is missing or not a string',
  key_unknown: "signed with a key that Entra does not publish for this tenant",
  signature: "signature does not belong to header and payload",
  unverifiable: "the signature check itself failed; if many tokens are refused so, look at the runtime",
  issuer: "issuer is not this tenant",
  version: "token version and issuer contradict each other",
  audience: "token is for another API",
  tenant: "tenant id is not ours",
  expired: "expired",
  not_yet_valid: "not valid yet",
  issued_in_future: "issued in the future",
  lifetime: "expires before it was issued, or lives longer than any token of Entra",
  claim_type: "a claim is missing, or not of the type Entra gives it",
  sender_constrained: "bound to a proof of possession; it is no bearer token",
  actor_token: "carries an actor: a service-to-service token, not the caller's own",
  id_token: "an ID token, which says who signed in and authorises nothing",
  identity: "object id or subject is missing or malformed",
  client: "client id is missing, malformed or contradictory",
  own_client: "obtained by this service's own registration",
  kind_unclear: "neither clearly a user's token nor clearly an application's",
  scope_missing: "a user's token without the scope access_as_user",
  role_missing: "an application's token without the app role Exchange.Call",
  guest: "a guest of this tenant, and guests are not allowed",
} as const;

export type TokenRefusal = keyof typeof TOKEN_REFUSALS;

/** Refused, or not judged because Entra's keys could not be read (which is no fault of the caller's). */
export type ValidationFailure =
  | { readonly kind: "token_refused"; readonly reason: TokenRefusal }
  | { readonly kind: "keys_unavailable" };
