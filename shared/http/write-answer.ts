/**
 * Writes successful responses. Every response is `no-store` (RFC 6749 section 5.1) and has only the members listed
 * here: never MSAL's refresh token, ID token or account.
 */

import { isoTime } from "../core/iso-time.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import type { Api } from "../policy/entitlement.ts";
import type { TextResponse } from "./outgoing-response.ts";
import { ACCESS_TOKEN_TYPE } from "./read-token-request.ts";

/** What a response with a token contains, in both formats. */
export interface ReleasedToken {
  readonly token: EntraToken;
  /** When the caller should request the next token, seconds since 1970: when this one expires, or earlier. */
  readonly usableUntilSeconds: number;
  readonly api: Api;
  /** The scopes that the token really has, bare. */
  readonly scopes: readonly string[];
  /** Handle of a grant that this request created. No later response contains it. */
  readonly handle: SecretValue | undefined;
  /** Expiry of the created or redeemed grant, seconds since 1970. */
  readonly grantExpiresAtSeconds: number | undefined;
  readonly correlationId: string;
  readonly nowSeconds: number;
}

/** RFC 6749 section 5.1. RFC 8693 requires `issued_token_type`; other clients ignore it. */
export function writeTokenResponse(released: ReleasedToken): TextResponse {
  const { token, scopes, handle, grantExpiresAtSeconds } = released;
  return jsonWithToken(token.accessToken, released.correlationId, {
    access_token: TOKEN,
    token_type: "Bearer",
    issued_token_type: ACCESS_TOKEN_TYPE,
    expires_in: secondsLeft(released),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(" ") }),
    ...(handle === undefined ? {} : { refresh_token: handle.reveal() }),
    ...(grantExpiresAtSeconds === undefined ? {} : { grant_expires_on: isoTime(grantExpiresAtSeconds) }),
  });
}

/** The header object: the caller copies `headers` into its next request. */
export function writeHeaderPayload(released: ReleasedToken): TextResponse {
  const { token, api, scopes, handle, grantExpiresAtSeconds } = released;
  const authorization = `Bearer ${TOKEN}`;
  return jsonWithToken(token.accessToken, released.correlationId, {
    authorizationHeader: authorization,
    headers: { Authorization: authorization, "Content-Type": api.contentType },
    tokenType: "Bearer",
    expiresOn: isoTime(released.usableUntilSeconds),
    expiresIn: secondsLeft(released),
    scopes,
    ...(handle === undefined ? {} : { grant: handle.reveal() }),
    ...(grantExpiresAtSeconds === undefined ? {} : { grantExpiresOn: isoTime(grantExpiresAtSeconds) }),
  });
}

/** Any other JSON response, also `no-store`. */
export function json(status: number, correlationId: string, body: unknown): TextResponse {
  return {
    status,
    headers: {
      "Cache-Control": "no-store",
      Pragma: "no-cache",
      "Content-Type": "application/json; charset=utf-8",
      "client-request-id": correlationId,
    },
    body: JSON.stringify(body),
  };
}

// ------------------------------------------------------------------------------------------------------------------

/** Placeholder for the token while the body is written. No other value contains control characters. */
const TOKEN = "\u0001";
const WRITTEN_TOKEN = JSON.stringify(TOKEN).slice(1, -1);

/**
 * Inserts the token after the rest is serialised. The characters of a token (RFC 6750 section 2.1, checked when it was
 * read) need no escaping, and JSON.stringify of the token would be the largest cost of a response from the cache.
 */
function jsonWithToken(token: SecretValue, correlationId: string, body: unknown): TextResponse {
  const written = json(200, correlationId, body);
  return { ...written, body: written.body.replaceAll(WRITTEN_TOKEN, () => token.reveal()) };
}

function secondsLeft({ usableUntilSeconds, nowSeconds }: ReleasedToken): number {
  return Math.max(0, usableUntilSeconds - nowSeconds);
}
