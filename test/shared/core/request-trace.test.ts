import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { beginSpan, traceHeaders } from "../../../shared/core/request-trace.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

describe("a malformed traceparent is ignored", () => {
  test.each([
    undefined,
    "",
    "00",
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01\n`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `0-${TRACE}-${SPAN}-01`,
    `00-${TRACE}g-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-0g`,
  ])("%j", (traceparent) => {
    expect(beginSpan(traceparent)).toBeUndefined();
    expect(traceHeaders(beginSpan(traceparent))).toEqual({});
  });

  test("property: no text leads to a malformed traceparent header", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.?$/)),
        (text) => {
          const { traceparent } = traceHeaders(beginSpan(text));
          expect(traceparent ?? `00-${TRACE}-${SPAN}-01`).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
        },
      ),
    );
  });
});

test.each([
  ["00", "01", "01"],
  ["00", "00", "00"],
  // Version 00 defines only the sampled flag, and the service answers a later version with version 00.
  ["00", "ff", "01"],
  ["00", "02", "00"],
  ["01", "03-what-may-come", "01"],
])(
  "version %s with flags %s: the trace id and the sampled flag stay, and the span id is new",
  (version, flags, flagsSent) => {
    const trace = beginSpan(`${version}-${TRACE}-${SPAN}-${flags}`);

    expect(trace).toMatchObject({ traceId: TRACE, parentSpanId: SPAN });
    expect(trace?.spanId).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
    expect(trace?.spanId).not.toBe(SPAN);
    expect(traceHeaders(trace)).toEqual({ traceparent: `00-${TRACE}-${trace?.spanId}-${flagsSent}` });
  },
);
