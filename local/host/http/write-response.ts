/**
 * Writes the RpcHttp response of the app to Node's response as the real host does: status, headers, cookies, the body in
 * chunks, and the custom headers of host.json, which never replace a header of the app.
 */
import type { ServerResponse } from "node:http";
import type { RpcHttpResponse, RpcTypedData } from "../rpc/rpc-types.ts";
import { SERVER } from "./answer-refusal.ts";
import { serializeCookie } from "./serialize-cookie.ts";

export type CustomHeaders = readonly (readonly [name: string, value: string])[];

/** Writes an answer of the host itself: a status, without a body unless `text` is given. */
export function writeStatus(response: ServerResponse, status: number, headers: CustomHeaders, text = ""): void {
  if (response.headersSent || response.destroyed) return;
  prepareConnection(response);
  for (const [name, value] of headers) {
    response.setHeader(name, value);
  }
  const isHead = response.req.method === "HEAD";
  if (status !== 204 && (text !== "" || !isHead)) {
    response.setHeader("content-length", Buffer.byteLength(text));
  }
  response.writeHead(status).end(isHead ? "" : text);
}

/** Throws before anything is sent if the answer is invalid, such as a wrong length or a header with a line break. */
export function writeResponse(response: ServerResponse, rpc: RpcHttpResponse, customHeaders: CustomHeaders): void {
  if (response.headersSent || response.destroyed) return;
  const status = Number(rpc.statusCode);
  const body = bodyBytes(rpc.body);
  const headers = collectHeaders(rpc, customHeaders);
  const withoutBody = status === 204 || status === 304;
  const declared = headers.get("content-length");
  if (response.req.method !== "HEAD" && declared !== undefined && Number(declared) !== body.byteLength) {
    throw new Error(`Response Content-Length mismatch: ${declared} declared, ${body.byteLength} written.`);
  }
  if (withoutBody) {
    headers.delete("content-length");
  }
  if (response.req.httpVersion === "1.0" && declared === undefined) {
    response.shouldKeepAlive = false; // Only the end of the connection ends the body.
  }
  prepareConnection(response);
  response.setHeaders(headers);
  response.writeHead(status);
  if (response.req.method === "HEAD" || withoutBody) {
    response.end();
  } else if (body.byteLength <= singleWriteLimit) {
    response.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1"), "latin1");
  } else {
    response.end(body);
  }
}

// ---------------------------------------------------------------------------------------------------------------

/** Kestrel sends its name, and Connection only if it closes the connection. */
function prepareConnection(response: ServerResponse): void {
  response.setHeader("server", SERVER);
  if (response.shouldKeepAlive && !response.hasHeader("connection")) {
    response.removeHeader("connection"); // Node adds neither Connection nor Keep-Alive after this call.
  }
}

function collectHeaders(rpc: RpcHttpResponse, customHeaders: CustomHeaders): Map<string, string | string[]> {
  const headers = new Map<string, string | string[]>();
  for (const name in rpc.headers) {
    if (name !== "transfer-encoding") {
      headers.set(name, rpc.headers[name] ?? "");
    }
  }
  if (rpc.cookies.length > 0) {
    const own = headers.get("set-cookie");
    headers.set("set-cookie", [...(own === undefined ? [] : [own].flat()), ...rpc.cookies.map(serializeCookie)]);
  }
  for (const [name, value] of customHeaders) {
    const lower = name.toLowerCase();
    if (!headers.has(lower)) {
      headers.set(lower, value);
    }
  }
  return headers;
}

/** Node sends head and body in one write only if the body is a string. For a small body this is worth the copy. */
const singleWriteLimit = 16 * 1024;

const emptyBody = new Uint8Array(0);

function bodyBytes(body: RpcTypedData | null | undefined): Uint8Array {
  if (body === null || body === undefined) return emptyBody;
  return body.bytes ?? Buffer.from(body.string ?? body.json ?? "", "utf8");
}
