/**
 * One more attempt after a passing fault of Entra: a 5xx, one of Entra's numbers for a temporary fault, or a dropped
 * connection. Entra's own libraries do the same. Entra redeems an authorization code only once, so a code is sent again
 * only if the first request cannot have reached Entra. Refresh tokens and assertions may be sent again.
 *
 * Source: https://learn.microsoft.com/entra/msal/dotnet/advanced/exceptions/retry-policy
 */
import type { Failure } from "../core/failure.ts";
import type { Result } from "../core/result.ts";
import type { OutboundFailure } from "../outbound/outbound.ts";
import type { FailedRequest } from "./read-answer.ts";

/** The wait if Entra sends no `Retry-After`. */
const WAIT_MS = 1_000;
/** A longer `Retry-After` is the caller's to wait. */
const WAIT_MAX_MS = 2_000;
/** The second attempt needs this much of the deadline. */
const ATTEMPT_MIN_MS = 2_000;

/** Node's errors before a connection exists: nothing was sent. */
const NOT_CONNECTED: readonly string[] = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];

/** The result of one attempt, and whether its failure is a passing fault. */
export interface Sent<T> {
  readonly result: Result<T, Failure>;
  /** `answered` or `dropped`: Entra may have handled the request. `not_sent`: it cannot have. */
  readonly passing: "answered" | "dropped" | "not_sent" | undefined;
}

export interface SecondAttempt {
  readonly grantKind: FailedRequest["grantKind"];
  /** Of the monotonic clock. */
  readonly deadlineAtMs: number;
  readonly steadyMs: () => number;
  readonly pause: (milliseconds: number) => Promise<unknown>;
}

/** Sends the request, and once more after a passing fault if the deadline allows it. */
export async function withSecondAttempt<T>(
  { grantKind, deadlineAtMs, steadyMs, pause }: SecondAttempt,
  send: (deadlineMs: number) => Promise<Sent<T>>,
): Promise<Result<T, Failure>> {
  const leftMs = () => Math.max(1, deadlineAtMs - steadyMs());
  const { result, passing } = await send(leftMs());
  if (result.ok || passing === undefined) return result;
  const waitMs = waitBeforeSecond(result.failure);
  const mayRepeat = grantKind !== "code" || passing === "not_sent";
  if (!mayRepeat || waitMs > WAIT_MAX_MS || leftMs() < waitMs + ATTEMPT_MIN_MS) return result;
  await pause(waitMs);
  return (await send(leftMs())).result;
}

/** How a request without any response failed. */
export function passingFailure(failure: OutboundFailure | undefined): "dropped" | "not_sent" | undefined {
  if (failure?.kind !== "network") return undefined;
  return NOT_CONNECTED.includes(failure.code) ? "not_sent" : "dropped";
}

// ---------------------------------------------------------------------------------------------------------------

/** Throttling, which Entra may also send as a 503, gets no second attempt. */
function waitBeforeSecond(failure: Failure): number {
  if (failure.kind !== "dependency_failed") return Number.POSITIVE_INFINITY;
  const seconds = failure.retryAfterSeconds;
  return seconds === undefined ? WAIT_MS : seconds * 1_000;
}
