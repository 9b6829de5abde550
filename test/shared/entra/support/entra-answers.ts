/** Responses of Entra's token endpoint in the form that Entra sends. */
import type { OutboundResponse } from "../../../../shared/outbound/outbound.ts";

export const TENANT_ID = "c0470500-0000-4000-8000-000000000001";
export const CLIENT_ID = "5e471ce0-0000-4000-8000-00000000000a";
export const TRACE_ID = "7ace0000-0000-4000-8000-000000000001";
export const CORRELATION_ID = "c0440000-0000-4000-8000-000000000001";
/** 2026-08-13T21:24:29Z */
export const NOW_MS = 1_786_656_269_000;

export interface EntraError {
  readonly code: number;
  readonly error: string;
  readonly suberror?: string;
  readonly claims?: string;
  readonly text?: string;
  readonly status?: number;
}

/** An error response. With `lineBreaks` in the description, as Entra sent it before 2024 (E-55). */
export function entraError(given: EntraError, lineBreaks = false): OutboundResponse {
  const { code, error, suberror, claims, text = "Some text.", status = 400 } = given;
  const timestamp = "2026-08-13 21:24:29Z";
  const tail = [`Trace ID: ${TRACE_ID}`, `Correlation ID: ${CORRELATION_ID}`, `Timestamp: ${timestamp}`];
  const separator = lineBreaks ? "\r\n" : " ";
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8", "x-ms-request-id": TRACE_ID },
    body: JSON.stringify({
      error,
      error_description: [`AADSTS${code}: ${text}`, ...tail].join(separator),
      error_codes: [code],
      timestamp,
      trace_id: TRACE_ID,
      correlation_id: CORRELATION_ID,
      error_uri: `https://login.microsoftonline.com/error?code=${code}`,
      ...(suberror === undefined ? {} : { suberror }),
      ...(claims === undefined ? {} : { claims }),
    }),
  };
}

export function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value), "utf8").toString("base64url");
}

/** An ID token that MSAL can read. MSAL does not check its signature. */
export function idToken(claims: Record<string, unknown>): string {
  return `${base64url({ alg: "RS256", typ: "JWT" })}.${base64url(claims)}.c2lnbmF0dXJl`;
}

/** A response for delegated permissions (E-46), changed by `members`. */
export function tokenAnswer(members: Record<string, unknown> = {}): OutboundResponse {
  return {
    status: 200,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify({
      token_type: "Bearer",
      scope: "email openid profile https://graph.microsoft.com/User.Read",
      expires_in: 4_000,
      ext_expires_in: 4_000,
      access_token: "graph.access.token",
      ...members,
    }),
  };
}
