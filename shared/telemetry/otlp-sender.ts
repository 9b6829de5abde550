/**
 * Exports telemetry as OTLP over HTTP with JSON bodies, through `outbound/`, with its deadline and its check of
 * certificates. Each export is sent once. The next export replaces lost metrics, because metrics are cumulative; lost spans
 * are not sent again. Reports only the first failed export and the first successful one after it.
 *
 * Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
import { TELEMETRY_ANSWER_MAX_BYTES, TELEMETRY_DEADLINE_MS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { Outbound } from "../outbound/outbound.ts";

export type Signal = "traces" | "metrics";

export interface OtlpSenderInput {
  /** Base URL, to which `/v1/traces` and `/v1/metrics` are appended. */
  readonly endpoint: string;
  /** `name=value,name=value` with percent-encoded values, for an endpoint that requires a key. */
  readonly headers: (() => Promise<Result<SecretValue, { readonly kind: string }>>) | undefined;
  readonly outbound: Outbound;
  /** Must not throw. */
  readonly onChange: (change: ExportChange) => void;
}

/** `reason` is a stable code or `status_` and the HTTP status. */
export type ExportChange =
  | { readonly name: "export_failed"; readonly reason: string }
  | { readonly name: "export_recovered" };

export interface OtlpSender {
  /** True if the endpoint accepted the export. Never rejects. */
  send(signal: Signal, body: Uint8Array | undefined): Promise<boolean>;
}

type Headers = Readonly<Record<string, string>>;

export function createOtlpSender(input: OtlpSenderInput): OtlpSender {
  const { endpoint, outbound, onChange } = input;
  const base = endpoint.replace(/\/+$/, "");
  let failing = false;
  let cached: Headers | undefined = input.headers === undefined ? {} : undefined;

  const attempt = async (signal: Signal, body: Uint8Array): Promise<Result<true, string>> => {
    const headers = cached === undefined ? await fetchOtlpHeaders(input.headers) : succeed(cached);
    if (!headers.ok) return headers;
    cached = headers.value;
    const sent = await outbound.send({
      method: "POST",
      url: `${base}/v1/${signal}`,
      headers: { ...cached, "content-type": "application/json" },
      body: Buffer.from(body).toString("utf8"),
      deadlineMs: TELEMETRY_DEADLINE_MS,
      maxBytes: TELEMETRY_ANSWER_MAX_BYTES,
    });
    const accepted = sent.ok ? readStatus(sent.value.status) : fail(sent.failure.kind);
    if (!accepted.ok && input.headers !== undefined) {
      // The key may be outdated: read it again for the next export.
      cached = undefined;
    }
    return accepted;
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

// ---------------------------------------------------------------------------------------------------------------

function readStatus(status: number): Result<true, string> {
  return status >= 200 && status < 300 ? succeed(true) : fail(`status_${status}`);
}

async function fetchOtlpHeaders(headers: OtlpSenderInput["headers"]): Promise<Result<Headers, string>> {
  const read = await headers?.();
  if (read === undefined) return succeed({});
  return read.ok ? parseOtlpHeaders(read.value.reveal()) : fail(read.failure.kind);
}

/** Parses the form of OTEL_EXPORTER_OTLP_HEADERS: W3C Baggage without properties. */
function parseOtlpHeaders(text: string): Result<Headers, string> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(",").filter((part) => part.trim() !== "")) {
    const [, name, encoded = ""] = /^\s*([\w.-]{1,100})\s*=(.*)$/.exec(pair) ?? [];
    const value = percentDecode(encoded.trim());
    if (name === undefined || value === undefined || !/^[\x20-\x7e]+$/.test(value)) return fail("headers_malformed");
    headers[name.toLowerCase()] = value;
  }
  return succeed(headers);
}

function percentDecode(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
