import type { RequestProblem } from "../core/failure.ts";
import { fail } from "../core/result.ts";

/** A request that the service cannot read. `parameter` is a fixed name or the result of `safeName`. */
export function invalidRequest(problem: RequestProblem, parameter?: string) {
  return fail({ kind: "request_invalid", problem, ...(parameter === undefined ? {} : { parameter }) } as const);
}

/** A parameter that the route does not have. `known` are those that it has. */
export function unknownParameter(parameter: string, known: readonly string[]) {
  return fail({ kind: "request_invalid", problem: "parameter_not_supported", parameter, known } as const);
}
