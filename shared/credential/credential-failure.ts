/** Translates the failures of the credential into the failures of the request path. Pure. */
import type { Failure } from "../core/failure.ts";
import { unavailableDependency } from "../core/unavailable-dependency.ts";
import type { CredentialFailure, CredentialProblem } from "./client-credential.ts";

/** An unreachable dependency is temporary. An unusable credential needs the administrator. */
export function fromCredentialFailure(failure: CredentialFailure): Failure {
  switch (failure.kind) {
    case "credential_unavailable":
      return unavailableDependency(failure.reason);
    case "credential_unusable":
      return { kind: "misconfigured", code: codeOfProblem(failure.problem) };
    default:
      return { kind: "misconfigured", code: failure.kind };
  }
}

// ---------------------------------------------------------------------------------------------------------------

/** Each way in which a certificate is unusable has its own code. The form of a secret has one code for all. */
function codeOfProblem(problem: CredentialProblem): string {
  switch (problem) {
    case "certificate_is_pkcs12":
    case "certificate_key_missing":
    case "certificate_key_unsuitable":
    case "certificate_missing":
      return problem;
    default:
      return "client_secret_malformed";
  }
}
