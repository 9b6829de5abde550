import type { RequestHint, RequestProblem } from "../core/failure.ts";
import { fail } from "../core/result.ts";

/** A request that the service cannot read. `parameter` is a fixed name or the result of `safeName`. */
export function invalidRequest(problem: RequestProblem, parameter?: string, hint?: RequestHint) {
  return fail({
    kind: "request_invalid",
    problem,
    ...(parameter === undefined ? {} : { parameter }),
    ...(hint === undefined ? {} : { hint }),
  } as const);
}
