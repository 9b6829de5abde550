/** Sends one HTTP request with a timeout. Does not follow redirects, so that a token goes only to the given URL. */
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

export function parseJsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** The reason is in the cause of fetch's error, for example ECONNREFUSED or a certificate error. */
function reason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? ` (${"code" in cause ? String(cause.code) : cause.message})` : "";
}
