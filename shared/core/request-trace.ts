/**
 * W3C trace context of one request, in addition to the correlation id. It connects the service's calls to Entra with
 * the caller's trace. The service does not forward `tracestate`, because it can contain data of other vendors.
 *
 * Source: https://www.w3.org/TR/trace-context/#traceparent-header
 */
import { randomUUID } from "node:crypto";

export interface RequestTrace {
  /** 32 hex digits, from the caller or from the host. */
  readonly traceId: string;
  /** 16 hex digits: the caller's span. */
  readonly parentSpanId: string;
  /** 16 hex digits: the service's span, the parent of its outbound calls. */
  readonly spanId: string;
  /** The caller records this trace. */
  readonly sampled: boolean;
}

/** Version, trace id, span id, flags; no id is all zeros, and version ff does not exist. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** Begins a span in the caller's trace. A missing or malformed `traceparent` gives no trace. */
export function beginSpan(traceparent: string | undefined): RequestTrace | undefined {
  const [, version, traceId = "", parentSpanId = "", flags = "", more] = TRACEPARENT.exec(traceparent ?? "") ?? [];
  // Only later versions may have more fields than version 00.
  if (version === undefined || (version === "00" && more !== undefined)) return undefined;
  const sampled = (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED;
  return { traceId, parentSpanId, spanId: newSpanId(), sampled };
}

/** Headers for an outbound call: `traceparent`, if the request has a trace. */
export function traceHeaders(trace: RequestTrace | undefined): { readonly traceparent?: string } {
  return trace === undefined
    ? {}
    : { traceparent: `00-${trace.traceId}-${trace.spanId}-${trace.sampled ? "01" : "00"}` };
}

// ------------------------------------------------------------------------------------------------------------------

/**
 * 60 random bits and the version digit of a UUID, so the id is never all zeros, which is not a valid span id. Node
 * caches random bytes for UUIDs; requesting eight bytes each time costs ten times as much.
 */
function newSpanId(): string {
  const uuid = randomUUID();
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18);
}
