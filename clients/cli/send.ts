/** One bounded HTTP request. Redirects are not followed: a token goes to the address that was meant, or nowhere. */
import { CliFailure } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";

export interface Sent {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly timeoutMs: number;
}

export interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly text: string;
}

export async function send({ url, method = "GET", headers = {}, body, timeoutMs }: Sent): Promise<Received> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const init = { method, headers, signal, redirect: "manual" as const };
    const response = await fetch(url, body === undefined ? init : { ...init, body });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, bytes, text: new TextDecoder().decode(bytes) };
  } catch (cause) {
    const { host } = new URL(url);
    const why = signal.aborted ? `did not answer within ${timeoutMs / 1000} s` : `cannot be reached${reason(cause)}`;
    throw new CliFailure(EXIT.unavailable, signal.aborted ? "timeout" : "network", `${host} ${why}.`, { cause });
  }
}

export function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** fetch hides the reason in the cause: ECONNREFUSED, a certificate, a name. */
function reason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? ` (${"code" in cause ? String(cause.code) : cause.message})` : "";
}
