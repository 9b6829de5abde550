/**
 * The answers of Microsoft Graph: its error bodies and the challenge of continuous access evaluation (CC-7).
 */
import { randomUUID } from "node:crypto";

export interface GraphAnswer {
  status: number;
  /** Undefined: no body. */
  body: object | Uint8Array | undefined;
  headers: Readonly<Record<string, string>>;
}

export interface GraphContext {
  url: string;
  nowMs: number;
  clientRequestId: string | undefined;
}

export function graphSuccess(context: GraphContext, body: object | undefined): GraphAnswer {
  return { status: 200, body, headers: graphHeaders(context, randomUUID()) };
}

export function graphBytes(context: GraphContext, status: number, contentType: string, body: Uint8Array): GraphAnswer {
  return { status, body, headers: { ...graphHeaders(context, randomUUID()), "Content-Type": contentType } };
}

export function graphError(context: GraphContext, status: number, code: string, message: string): GraphAnswer {
  const requestId = randomUUID();
  const innerError = {
    date: new Date(context.nowMs).toISOString().slice(0, 19),
    "request-id": requestId,
    "client-request-id": context.clientRequestId ?? requestId,
  };
  const challenge = status === 401 ? { "WWW-Authenticate": plainChallenge(context.url) } : {};
  return {
    status,
    body: { error: { code, message, innerError } },
    headers: { ...graphHeaders(context, requestId), ...challenge },
  };
}

/** The observed challenge has an unquoted `authorization_uri`, `errorDescription`, and claims in padded base64 (CC-7). */
export function caeChallenge(context: GraphContext, claims: string): GraphAnswer {
  const text =
    "Continuous access evaluation resulted in claims challenge with result: InteractionRequired and code: TokenCreatedWithOutdatedPolicies";
  const parts = [
    'Bearer realm=""',
    `authorization_uri=${context.url}/common/oauth2/authorize`,
    'client_id="00000003-0000-0000-c000-000000000000"',
    'error="insufficient_claims"',
    `claims="${Buffer.from(claims).toString("base64")}"`,
    `errorDescription="${text}"`,
  ];
  const answer = graphError(context, 401, "InvalidAuthenticationToken", text);
  return { ...answer, headers: { ...answer.headers, "WWW-Authenticate": parts.join(", ") } };
}

/** The demand after a revocation: a token issued after this time (CC-8). */
export function revocationClaims(validFromMs: number): string {
  const value = String(Math.ceil(validFromMs / 1000));
  return JSON.stringify({ access_token: { nbf: { essential: true, value } } });
}

function graphHeaders({ clientRequestId }: GraphContext, requestId: string): Record<string, string> {
  return {
    "Cache-Control": "no-cache",
    "Strict-Transport-Security": "max-age=31536000",
    "Set-Cookie": "x-ms-gateway-slice=local; path=/; secure; HttpOnly",
    "request-id": requestId,
    "client-request-id": clientRequestId ?? requestId,
    "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"Local","Slice":"E","Ring":"0"}}',
  };
}

function plainChallenge(url: string): string {
  return `Bearer realm="", authorization_uri="${url}/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`;
}
