/**
 * Answers that went well. Everything with a token says `no-store` (RFC 6749 section 5.1), and only declared members
 * leave: no refresh token, id token or account of MSAL's.
 */

import { isoTime } from "../core/iso-time.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import type { Api } from "../policy/entitlement.ts";
import type { OutgoingResponse } from "./outgoing-response.ts";
import { ACCESS_TOKEN_TYPE } from "./read-token-request.ts";

/** What an answer with a token tells, whatever its form. */
export interface ReleasedToken {
  readonly token: EntraToken;
  /** When to ask again, seconds since 1970: at the token's end, or sooner. */
  readonly usableUntilSeconds: number;
  readonly api: Api;
  /** True scopes of the token, bare. */
  readonly scopes: readonly string[];
  /** A grant that was made for this answer; its handle is shown once. */
  readonly handle: SecretValue | undefined;
  /** End of the grant that was made or redeemed, seconds since 1970. */
  readonly grantExpiresAtSeconds: number | undefined;
  readonly correlationId: string;
  readonly nowSeconds: number;
}

/** RFC 6749 section 5.1; `issued_token_type` for RFC 8693 and harmless elsewhere. */
export function writeTokenResponse(released: ReleasedToken): OutgoingResponse {
  const { token, scopes, handle, grantExpiresAtSeconds } = released;
  return jsonAround(token.accessToken, released.correlationId, {
    access_token: TOKEN,
    token_type: "Bearer",
    issued_token_type: ACCESS_TOKEN_TYPE,
    expires_in: secondsLeft(released),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(" ") }),
    ...(handle === undefined ? {} : { refresh_token: handle.reveal() }),
    ...(grantExpiresAtSeconds === undefined ? {} : { grant_expires_on: isoTime(grantExpiresAtSeconds) }),
  });
}

/** The header payload: `headers` goes into the next request as it is. */
export function writeHeaderPayload(released: ReleasedToken): OutgoingResponse {
  const { token, api, scopes, handle, grantExpiresAtSeconds } = released;
  const authorization = `Bearer ${TOKEN}`;
  return jsonAround(token.accessToken, released.correlationId, {
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

/** Any other JSON answer; private to its caller like the ones with tokens. */
export function json(status: number, correlationId: string, body: unknown): OutgoingResponse {
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

/** Stands for the token in a body that is being written. No other value has control characters in it. */
const TOKEN = "\u0001";
const WRITTEN_TOKEN = JSON.stringify(TOKEN).slice(1, -1);

/**
 * A body with the token put in after the rest is written: its characters (RFC 6750 section 2.1, checked when it was read)
 * need no escaping, and escaping them all the same would be the largest single cost of an answer from the cache.
 */
function jsonAround(token: SecretValue, correlationId: string, body: unknown): OutgoingResponse {
  const written = json(200, correlationId, body);
  return { ...written, body: (written.body ?? "").replaceAll(WRITTEN_TOKEN, () => token.reveal()) };
}

function secondsLeft({ usableUntilSeconds, nowSeconds }: ReleasedToken): number {
  return Math.max(0, usableUntilSeconds - nowSeconds);
}
