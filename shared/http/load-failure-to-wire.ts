/** Translates the failures of which only time is the remedy: too much work, a used-up budget, a passed deadline. */
import type { Failure } from "../core/failure.ts";
import type { Quota } from "../core/load-failure.ts";
import { evidenceMembers, type Wire } from "./wire.ts";

export type OfLoad = Extract<
  Failure,
  { kind: "overloaded" | "too_many_requests" | "budget_used_up" | "throttled" | "deadline_passed" }
>;

export function loadFailureToWire(failure: OfLoad): Wire {
  switch (failure.kind) {
    case "overloaded":
      return later(503, failure, "The service has too much to do at the moment. Try again.");
    case "too_many_requests":
      return { ...later(429, failure, overQuota(failure.quota)), usedUp: failure.quota };
    case "budget_used_up":
      return later(429, failure, "Too many uncached requests for this user. Try again later.");
    case "throttled": {
      const description = "Entra receives too many requests at the moment. Try again later.";
      return { ...later(429, failure, description), ...evidenceMembers(failure.evidence) };
    }
    case "deadline_passed":
      return later(504, failure, "The service did not finish in time. Try again.");
  }
}

// ---------------------------------------------------------------------------------------------------------------

/** The kind is the stable code. */
function later(
  status: number,
  { kind, ...rest }: { readonly kind: string; readonly retryAfterSeconds?: number },
  description: string,
): Wire {
  const { retryAfterSeconds } = rest;
  return {
    status,
    error: "temporarily_unavailable",
    code: kind,
    description,
    action: "retry",
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

function overQuota({ name, limit, windowSeconds }: Quota): string {
  if (name === "links")
    return `An instance makes ${limit} sign-in links in a minute for one policy entry. Wait and try again.`;
  const period = windowSeconds === undefined ? "at once on each instance" : `in ${windowSeconds} seconds`;
  return `The policy allows this caller ${limit} requests ${period}. Wait and try again.`;
}
