/**
 * Sends one HTTP request with a timeout, through the proxy if there is one. Does not follow redirects, so that a token goes
 * only to the given URL. It does not use `fetch`, which would also read Node's own proxy settings.
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { CliFailure } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";
import type { Network } from "./network.ts";
import { openTunnel, ProxyUnreachable } from "./tunnel.ts";

export interface Sent {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly network: Network;
}

export interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly text: string;
}

export async function send(sent: Sent): Promise<Received> {
  const url = new URL(sent.url);
  const signal = AbortSignal.timeout(sent.network.timeoutMs);
  try {
    const response = await open(url, sent, signal);
    const bytes = new Uint8Array(await readAll(response));
    return {
      status: response.statusCode ?? 0,
      headers: headersOf(response),
      bytes,
      text: new TextDecoder().decode(bytes),
    };
  } catch (cause) {
    throw cause instanceof CliFailure ? cause : networkFailure(url, sent.network.timeoutMs, signal.aborted, cause);
  }
}

export function parseJsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

// ---------------------------------------------------------------------------------------------------------------

/** Each request has its own agent: Node's global agent reads NODE_USE_ENV_PROXY. Compressed bodies are not requested. */
async function open(url: URL, sent: Sent, signal: AbortSignal): Promise<IncomingMessage> {
  const { method = "GET", headers, body, network } = sent;
  const proxy = network.proxyFor(url);
  const socket = proxy === undefined ? undefined : await openTunnel(proxy, url, signal);
  const all = { accept: "*/*", "accept-encoding": "identity", "user-agent": "gte", ...headers };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options: RequestOptions = { method, headers: all, signal };
  const request =
    url.protocol === "https:"
      ? httpsRequest(url, { ...options, agent: new Agent(socket === undefined ? {} : { socket }) })
      : httpRequest(url, { ...options, agent: false });
  request.on("response", resolve).on("error", reject);
  request.end(body);
  return promise;
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function headersOf({ headersDistinct }: IncomingMessage): Headers {
  const entries = Object.entries(headersDistinct);
  return new Headers(entries.flatMap(([name, values = []]) => values.map((value): [string, string] => [name, value])));
}

function networkFailure(url: URL, timeoutMs: number, late: boolean, cause: unknown): CliFailure {
  const host = cause instanceof ProxyUnreachable && !late ? `The proxy ${cause.proxyHost}` : url.host;
  const why = late ? `did not answer within ${timeoutMs / 1000} s` : `cannot be reached${reason(cause)}`;
  return new CliFailure(EXIT.unavailable, late ? "timeout" : "network", `${host} ${why}.`, { cause });
}

/** For example ECONNREFUSED or a certificate error. */
function reason(error: unknown): string {
  const cause = error instanceof ProxyUnreachable ? error.cause : error;
  return cause instanceof Error ? ` (${"code" in cause ? String(cause.code) : cause.message})` : "";
}
