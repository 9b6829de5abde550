import type { Failure } from "../core/failure.ts";
import type { CacheWarning } from "./memory-tokens.ts";

/**
 * Whether a failure means "Entra cannot help now", in which case a token that is still valid serves on. A refusal does
 * not: it may be about the very permission (a revoked session, a dead grant).
 */
export function warningOf(failure: Failure): CacheWarning | undefined {
  if (failure.kind === "throttled") return "entra_throttled";
  const away = failure.kind === "dependency_failed" && failure.dependency === "entra";
  return away && failure.problem !== "answer_invalid" ? "entra_unavailable" : undefined;
}
