/** Requests that could not be read, on the wire: nearly all `invalid_request`, each with a sentence that helps to mend it. */
import type { RequestProblem } from "../core/failure.ts";
import type { Wire } from "./wire.ts";

/** `parameter` is a name from our own code or one that `safeName` let through. */
export function requestProblemToWire(problem: RequestProblem, parameter = "a parameter"): Wire {
  return {
    status: 400,
    error: errorOf(problem),
    code: problem,
    description: sentence(problem, parameter),
    action: "fix_request",
  };
}

/** RFC 6749 sections 4.1.2.1 and 5.2 have words of their own for two of them. */
function errorOf(problem: RequestProblem): string {
  switch (problem) {
    case "scope_malformed":
      return "invalid_scope";
    case "response_type_unsupported":
      return "unsupported_response_type";
    default:
      return "invalid_request";
  }
}

function sentence(problem: RequestProblem, parameter: string): string {
  switch (problem) {
    case "parameter_missing":
      return `${parameter} is missing.`;
    case "parameter_repeated":
      return `${parameter} must not be repeated.`;
    case "parameter_invalid":
      return `${parameter} does not have the form it must have.`;
    case "parameter_not_supported":
      return `${parameter} is not supported here.`;
    case "scope_malformed":
      return `${parameter} must be scope names with one space between them.`;
    case "too_many_parameters":
      return "There are too many parameters.";
    case "body_missing":
      return "The body did not arrive: send it whole, with Content-Length, not in chunks.";
    case "body_not_utf8":
      return "The body is not UTF-8.";
    case "body_not_json":
      return "The body is not a JSON object.";
    case "response_type_unsupported":
      return "The only response_type is code.";
    case "token_in_query":
      return "Tokens do not belong in a URL: send them in the Authorization header.";
    case "authorization_malformed":
      return "The Authorization header must be one Bearer token.";
    case "two_client_authentications":
      return "Use one way only to show who calls: a Bearer token or a client assertion.";
    case "client_secret_not_accepted":
      return "Secrets are not accepted here: call with an Entra access token for this service.";
    case "client_id_mismatch":
      return "client_id is not the client that calls.";
  }
}
