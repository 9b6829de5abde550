/** Names the dependency that failed when a secret or a token of the managed identity could not be read. Pure. */
import type { Failure } from "./failure.ts";

/** `reason`: the kind of a `VaultFailure`, or why the managed identity returned no token. */
export function unavailableDependency(reason: string): Failure {
  switch (reason) {
    case "vault_timeout":
      return { kind: "dependency_failed", dependency: "key_vault", problem: "timeout" };
    case "vault_answer_invalid":
      return { kind: "dependency_failed", dependency: "key_vault", problem: "answer_invalid" };
    case "identity_timeout":
      return { kind: "dependency_failed", dependency: "managed_identity", problem: "timeout" };
    case "assertion_missing":
      return { kind: "dependency_failed", dependency: "managed_identity", problem: "answer_invalid" };
    case "identity_unavailable":
    case "assertion_expired":
      return { kind: "dependency_failed", dependency: "managed_identity", problem: "unavailable" };
    default:
      return { kind: "dependency_failed", dependency: "key_vault", problem: "unavailable" };
  }
}
