import type { Failure } from "../core/failure.ts";
import type { CacheWarning } from "./memory-cache.ts";

/**
 * The warning for a failure that means "Entra cannot answer now". A cached token that is still valid stays in use then.
 * Undefined: Entra refused. A refusal may end the right to the token (a revoked session, an ended grant), so the cached
 * token must not be used instead.
 */
export function warningOf(failure: Failure): CacheWarning | undefined {
  if (failure.kind === "throttled") return "entra_throttled";
  const entraFailed = failure.kind === "dependency_failed" && failure.dependency === "entra";
  return entraFailed && failure.problem !== "answer_invalid" ? "entra_unavailable" : undefined;
}
