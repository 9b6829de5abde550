/**
 * A small HTTP client for the tools of the local stack: it sends one request and reads the whole answer as text. It trusts
 * the local authority through `ca` of node:https, so no tool switches off certificate checks.
 */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

export interface LocalRequest {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  /** Sent as application/x-www-form-urlencoded. */
  form?: Readonly<Record<string, string>>;
  json?: unknown;
  ca?: string;
}

export interface LocalResponse {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
  /** The body as a JSON object. Throws with the name of the request if it is not a JSON object. */
  json: () => Record<string, unknown>;
}

const timeoutMs = 30_000;

export function localRequest(url: string, options: LocalRequest = {}): Promise<LocalResponse> {
  const body = encodeBody(options);
  const method = options.method ?? (body === undefined ? "GET" : "POST");
  const headers: Record<string, string> = { ...options.headers };
  if (body !== undefined) {
    headers["content-type"] = body.type;
    headers["content-length"] = String(Buffer.byteLength(body.text));
  }
  const send = url.startsWith("https:") ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const settings = { method, headers, timeout: timeoutMs, agent: false as const };
    const request = send(url, options.ca === undefined ? settings : { ...settings, ca: options.ca }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const status = response.statusCode ?? 0;
        resolve({ status, headers: response.headers, text, json: () => parse(`${method} ${url}`, status, text) });
      });
    });
    request.on("timeout", () => request.destroy(new Error(`${method} ${url}: no answer within ${timeoutMs} ms`)));
    request.on("error", reject);
    request.end(body?.text);
  });
}

// ---------------------------------------------------------------------------------------------------------------

function encodeBody({ form, json }: LocalRequest): { type: string; text: string } | undefined {
  if (form !== undefined) {
    return { type: "application/x-www-form-urlencoded", text: new URLSearchParams(form).toString() };
  }
  return json === undefined ? undefined : { type: "application/json", text: JSON.stringify(json) };
}

function parse(what: string, status: number, text: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (typeof parsed !== "object" || parsed === null) {
    throw new Error(`${what} answered ${status} without a JSON object: ${text.slice(0, 200)}`);
  }
  return parsed as Record<string, unknown>;
}
