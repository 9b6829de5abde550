/**
 * Writes HTTP answers: plain JSON, and Entra's answers with their headers (E-50).
 */
import { randomBytes } from "node:crypto";
import type { Correlation, EntraAnswer } from "../errors/entra-error.ts";

export interface JsonAnswer {
  status: number;
  body: unknown;
  headers?: Readonly<Record<string, string>>;
}

export function jsonResponse({ status, body, headers = {} }: JsonAnswer): Response {
  const all = { "Content-Type": "application/json; charset=utf-8", ...headers };
  return new Response(JSON.stringify(body), { status, headers: all });
}

/** JSON, bytes or nothing. */
export function resourceResponse({ status, body, headers = {} }: JsonAnswer): Response {
  if (body === undefined) return new Response(null, { status, headers });
  return body instanceof Uint8Array
    ? new Response(Buffer.from(body), { status, headers })
    : jsonResponse({ status, body, headers });
}

export interface EntraRequestHeaders {
  clientRequestId: string | undefined;
  returnClientRequestId: string | undefined;
}

export function entraResponse(answer: EntraAnswer, correlation: Correlation, request: EntraRequestHeaders): Response {
  const { status, body, headers } = answer;
  const response = jsonResponse({ status, body, headers: { ...ENTRA_HEADERS, ...headers } });
  response.headers.set("x-ms-request-id", correlation.traceId);
  if (request.returnClientRequestId === "true" && request.clientRequestId !== undefined) {
    response.headers.set("client-request-id", request.clientRequestId);
  }
  const cookie = randomBytes(16).toString("base64url");
  response.headers.append("Set-Cookie", `fpc=${cookie}; path=/; secure; HttpOnly; SameSite=None`);
  response.headers.append("Set-Cookie", "x-ms-gateway-slice=estsfd; path=/; secure; HttpOnly");
  response.headers.append("Set-Cookie", "stsservicecookie=estsfd; path=/; secure; HttpOnly");
  return response;
}

const ENTRA_HEADERS = {
  "Cache-Control": "no-store, no-cache",
  Pragma: "no-cache",
  Expires: "-1",
  "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
  "X-Content-Type-Options": "nosniff",
  P3P: 'CP="DSP CUR OTPi IND OTRi ONL FIN"',
  "x-ms-ests-server": "2.1.0 - LOCAL ProdSlices",
  "X-XSS-Protection": "0",
};
