/**
 * W3C trace context. With Application Insights the host starts a span for each request and passes it to the app. The span
 * belongs to the caller's trace if the caller sent a valid `traceparent`, otherwise to a new trace. Without Application
 * Insights the real host starts no span, even if the caller sent one.
 */
import { randomFillSync } from "node:crypto";
import type { TraceContext } from "./rpc/rpc-types.ts";

const traceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-.*)?$/;

export const NO_TRACE: TraceContext = { traceParent: "", traceState: "", attributes: {} };

export function startSpan(parent: string | undefined, state: string | undefined): TraceContext {
  const known = parent === undefined ? null : traceparent.exec(parent);
  if (known === null) {
    const ids = randomHex(24);
    return { traceParent: `00-${ids.slice(0, 32)}-${ids.slice(32)}-00`, traceState: "", attributes: {} };
  }
  const span = randomHex(8);
  return { traceParent: `00-${known[1]}-${span}-${known[2]}`, traceState: state ?? "", attributes: {} };
}

// ---------------------------------------------------------------------------------------------------------------

/** Random bytes for many requests. One call to the system per request would cost more than the routing. */
const pool = Buffer.alloc(4_096);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString("hex", used - bytes, used);
}
