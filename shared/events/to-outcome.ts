/** Whether a receiver accepted a request. A redirect is not followed, so it is a refusal like every other status. */
import { fail, type Result, succeed } from "../core/result.ts";
import type { OutboundFailure, OutboundResponse } from "../outbound/outbound.ts";

export function toOutcome(sent: Result<OutboundResponse, OutboundFailure>): Result<true, string> {
  if (!sent.ok) return fail(sent.failure.kind);
  const { status } = sent.value;
  return status >= 200 && status < 300 ? succeed(true) : fail(`status_${status}`);
}
