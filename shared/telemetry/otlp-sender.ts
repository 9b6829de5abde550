/**
 * The way of telemetry out: OTLP over HTTP with JSON bodies, through `outbound/` like every other request of ours, with
 * its deadline and its trust. One attempt each: metrics are cumulative, so that the next export makes up for a lost one;
 * lost spans are lost. Reports when exports begin to fail and when they go through again, not each of them.
 *
 * Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
import { TELEMETRY_ANSWER_MAX_BYTES, TELEMETRY_DEADLINE_MS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { Outbound } from "../outbound/outbound.ts";

export type Signal = "traces" | "metrics";

export interface OtlpSenderInput {
  /** Base URL; `/v1/traces` and `/v1/metrics` are put behind it. */
  readonly endpoint: string;
  /** `name=value,name=value` (percent-encoded), for an endpoint that wants a key. */
  readonly headers: (() => Promise<Result<SecretValue, { readonly kind: string }>>) | undefined;
  readonly outbound: Outbound;
  /** Must not throw. */
  readonly onChange: (change: ExportChange) => void;
}

/** `reason` is a code of ours or a status. */
export type ExportChange =
  | { readonly name: "export_failed"; readonly reason: string }
  | { readonly name: "export_recovered" };

export interface OtlpSender {
  /** True when the endpoint took it. Never rejects. */
  send(signal: Signal, body: Uint8Array | undefined): Promise<boolean>;
}

type Headers = Readonly<Record<string, string>>;

export function createOtlpSender(input: OtlpSenderInput): OtlpSender {
  const { endpoint, outbound, onChange } = input;
  const base = endpoint.replace(/\/+$/, "");
  let failing = false;
  let known: Headers | undefined = input.headers === undefined ? {} : undefined;

  const attempt = async (signal: Signal, body: Uint8Array): Promise<Result<true, string>> => {
    const headers = known === undefined ? await fetchHeaders(input.headers) : succeed(known);
    if (!headers.ok) return headers;
    known = headers.value;
    const sent = await outbound.send({
      method: "POST",
      url: `${base}/v1/${signal}`,
      headers: { ...known, "content-type": "application/json" },
      body: Buffer.from(body).toString("utf8"),
      deadlineMs: TELEMETRY_DEADLINE_MS,
      maxBytes: TELEMETRY_ANSWER_MAX_BYTES,
    });
    const taken = sent.ok ? readStatus(sent.value.status) : fail(sent.failure.kind);
    if (!taken.ok && input.headers !== undefined) {
      // The key may have been changed: read it again for the next export.
      known = undefined;
    }
    return taken;
  };

  return {
    async send(signal, body) {
      const sent = await attempt(signal, body ?? new Uint8Array()).catch(() => fail("unexpected"));
      if (sent.ok === failing) {
        failing = !sent.ok;
        onChange(sent.ok ? { name: "export_recovered" } : { name: "export_failed", reason: sent.failure });
      }
      return sent.ok;
    },
  };
}

function readStatus(status: number): Result<true, string> {
  return status >= 200 && status < 300 ? succeed(true) : fail(`status_${status}`);
}

async function fetchHeaders(headers: OtlpSenderInput["headers"]): Promise<Result<Headers, string>> {
  const read = await headers?.();
  if (read === undefined) return succeed({});
  return read.ok ? readHeaders(read.value.reveal()) : fail(read.failure.kind);
}

/** The form of OTEL_EXPORTER_OTLP_HEADERS: W3C Baggage without properties. */
function readHeaders(text: string): Result<Headers, string> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(",").filter((part) => part.trim() !== "")) {
    const [, name, encoded = ""] = /^\s*([\w.-]{1,100})\s*=(.*)$/.exec(pair) ?? [];
    const value = decoded(encoded.trim());
    if (name === undefined || value === undefined || !/^[\x20-\x7e]+$/.test(value)) return fail("headers_malformed");
    headers[name.toLowerCase()] = value;
  }
  return succeed(headers);
}

function decoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
