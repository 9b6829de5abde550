/**
 * Converts Node's request to the RpcHttp request that the app receives. It joins repeated headers from `rawHeaders`,
 * because Node drops some of them, and repeated query keys regardless of case. It adds the route parameters and the body
 * as bytes.
 */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate, setTimeout } from "node:timers/promises";
import type { RequestPath } from "../routing/request-path.ts";
import type { NullableString, RpcHttpRequest } from "../rpc/rpc-types.ts";

export interface RequestParts {
  request: IncomingMessage;
  headers: Record<string, NullableString>;
  path: RequestPath;
  params: Record<string, string>;
  body: Uint8Array | undefined;
}

export function toRpcRequest({ request, headers, path, params, body }: RequestParts): RpcHttpRequest {
  const rpc: RpcHttpRequest = {
    method: request.method ?? "GET",
    url: `http://${headers["host"]?.value ?? "localhost"}${path.encoded}${path.query}`,
    nullableHeaders: headers,
    nullableQuery: joinQuery(path.query),
    nullableParams: {},
  };
  for (const name in params) {
    rpc.nullableParams[name] = { value: params[name] ?? "" };
  }
  if (body !== undefined) {
    rpc.body = { bytes: body };
  }
  return rpc;
}

/** The event of a request whose body has a chunk that is no chunk: no more of the body follows. */
export const BODY_MALFORMED = "bodyMalformed";

/** Joins with a comma and no space, as StringValues of ASP.NET does. */
export function joinHeaders(rawHeaders: readonly string[]): Record<string, NullableString> {
  const joined: Record<string, NullableString> = Object.create(null);
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    const value = rawHeaders[i + 1] ?? "";
    const known = joined[name];
    joined[name] = { value: known === undefined ? value : `${known.value},${value}` };
  }
  return joined;
}

/** Whether .NET's Uri accepts the Host header. If not, the real host cannot build the URL of the request and answers 500. */
export function isHostUsable(headers: Record<string, NullableString>): boolean {
  return /^(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(headers["host"]?.value ?? "");
}

/**
 * Reads the body if Content-Length announces one. The real host checks `ContentLength > 0` and gives the app no chunked
 * body, so this host does not wait for the end of a chunked body. `"too large"`: the body exceeds the limit.
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
): Promise<Uint8Array | undefined | "too large"> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > limit) return "too large";
  if (declared === 0) {
    request.resume();
    if (request.headers["transfer-encoding"] !== undefined && !response.shouldKeepAlive) {
      // The connection closes after the answer. If it closed before the last byte, the client would lose the answer.
      await Promise.race([
        once(request, "close"),
        once(request, BODY_MALFORMED),
        setTimeout(closeDelayMs, undefined, { ref: false }),
      ]);
    }
    return undefined;
  }
  await sendContinue(request, response);
  const body = new Uint8Array(declared);
  let offset = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
}

// ---------------------------------------------------------------------------------------------------------------

/** How long Kestrel reads the rest of a body before it closes the connection. */
const closeDelayMs = 5_000;

/** Sends 100 if the client waits for it, which it does not if the body came with the head. */
async function sendContinue(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.headers["expect"]?.toLowerCase() !== "100-continue") return;
  await setImmediate();
  if (request.readableLength === 0) {
    response.writeContinue();
  }
}

function joinQuery(query: string): Record<string, NullableString> {
  const joined: Record<string, NullableString> = {};
  if (query.length < 2) return joined;
  const spellings = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const spelling = spellings.get(name.toLowerCase());
    if (spelling === undefined) {
      spellings.set(name.toLowerCase(), name);
      joined[name] = { value };
    } else {
      joined[spelling] = { value: `${joined[spelling]?.value},${value}` };
    }
  }
  return joined;
}
