/** Requests in the form that a route reads: a valid request of which a test changes one part. */
import type { IncomingRequest } from "../../../../shared/http/incoming-request.ts";

export interface Incoming {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export const FORM_TYPE = "application/x-www-form-urlencoded";

export function incoming(given: Incoming = {}): IncomingRequest {
  const { method = "POST", url = "https://gte.example/x", headers = {}, params = {}, body = "" } = given;
  const lowered = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const bytes = Uint8Array.from(Buffer.from(body as string));
  return {
    method,
    url,
    headers: { get: (name) => lowered.get(name.toLowerCase()) ?? null },
    params,
    arrayBuffer: () => Promise.resolve(bytes.buffer),
  };
}

export function form(
  parameters: Record<string, string> | readonly (readonly [string, string])[] | string,
  headers: Record<string, string> = {},
): IncomingRequest {
  const body =
    typeof parameters === "string" ? parameters : new URLSearchParams(parameters as [string, string][]).toString();
  return incoming({ headers: { "content-type": FORM_TYPE, ...headers }, body });
}

export function posted(json: unknown, headers: Record<string, string> = {}): IncomingRequest {
  const body = typeof json === "string" ? json : JSON.stringify(json);
  return incoming({ headers: { "content-type": "application/json", ...headers }, body, params: { api: "graph" } });
}

/** Kind, problem and parameter of a refusal. Undefined: the reader accepted the request. */
export function refusal(result: { readonly ok: boolean; readonly failure?: unknown }): string | undefined {
  if (result.ok) return undefined;
  const { kind, problem, parameter } = result.failure as Record<string, string>;
  return [kind, problem, parameter].filter((part) => part !== undefined).join(" ");
}
