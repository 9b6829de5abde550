/**
 * W3C trace context of one request: it travels beside the correlation id, so that what we ask of Entra can be followed
 * from the caller's own trace. `tracestate` is not passed on: other vendors' data is none of Entra's business.
 *
 * Source: https://www.w3.org/TR/trace-context/#traceparent-header
 */
import { randomUUID } from "node:crypto";

export interface RequestTrace {
  /** 32 hex digits, the caller's or the host's. */
  readonly traceId: string;
  /** 16 hex digits: the span that called us. */
  readonly parentSpanId: string;
  /** 16 hex digits: our own span, the parent of what we ask others. */
  readonly spanId: string;
  /** Whoever began the trace records it. */
  readonly sampled: boolean;
}

/** Version, trace id, span id, flags; no id is all zeros, and version ff does not exist. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** The trace of a request with our span begun in it; a malformed `traceparent` is none. */
export function beginSpan(traceparent: string | undefined): RequestTrace | undefined {
  const [, version, traceId = "", parentSpanId = "", flags = "", more] = TRACEPARENT.exec(traceparent ?? "") ?? [];
  // Only versions to come may say more than version 00 does.
  if (version === undefined || (version === "00" && more !== undefined)) return undefined;
  const sampled = (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED;
  return { traceId, parentSpanId, spanId: newSpanId(), sampled };
}

/** What goes along with a request of ours to others; nothing without a trace. */
export function traceHeaders(trace: RequestTrace | undefined): { readonly traceparent?: string } {
  return trace === undefined
    ? {}
    : { traceparent: `00-${trace.traceId}-${trace.spanId}-${trace.sampled ? "01" : "00"}` };
}

/**
 * 60 random bits and the version digit of a UUID, so never all zeros, which would be no span at all. Node keeps random
 * bytes for UUIDs in store; asking for eight bytes at a time costs ten times as much.
 */
function newSpanId(): string {
  const uuid = randomUUID();
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18);
}
