/**
 * Unreadable requests as responses: nearly all `invalid_request`, each with a message that helps to correct the
 * request.
 */
import { didYouMean } from "../core/did-you-mean.ts";
import type { Failure, RequestProblem } from "../core/failure.ts";
import { PARAMETERS_MAX } from "../core/limits.ts";
import { safeList, safeText } from "./safe-text.ts";
import type { Wire } from "./wire.ts";

type RequestInvalid = Extract<Failure, { kind: "request_invalid" }>;

export function requestProblemToWire({ problem, parameter, known }: Omit<RequestInvalid, "kind">): Wire {
  const description = descriptionOf(problem, parameter && safeText(parameter));
  return {
    status: 400,
    error: errorOf(problem),
    code: problem,
    description: known === undefined ? description : `${description} ${knownParameters(parameter, known)}`,
    action: "fix_request",
  };
}

// ------------------------------------------------------------------------------------------------------------------

function knownParameters(parameter: string | undefined, known: readonly string[]): string {
  const meant = parameter === undefined ? undefined : didYouMean(parameter, known);
  return `${meant === undefined ? "" : `Did you mean ${meant}? `}Supported: ${safeList(known)}.`;
}

/** RFC 6749 sections 4.1.2.1 and 5.2 define separate errors for two problems. */
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

function descriptionOf(problem: RequestProblem, parameter = "a parameter"): string {
  const subject = parameter === "a parameter" ? "A parameter" : `The parameter ${parameter}`;
  switch (problem) {
    case "parameter_missing":
      return `${subject} is missing.`;
    case "parameter_repeated":
      return `${subject} is repeated. Send it once.`;
    case "parameter_invalid":
      return `${subject} has an invalid value.`;
    case "parameter_not_supported":
      return `${subject} is not supported here. Leave it out.`;
    case "scope_malformed":
      return `${subject} has an invalid scope name. Send scope names with one space between them.`;
    case "too_many_parameters":
      return `The request has too many parameters. The maximum is ${PARAMETERS_MAX}.`;
    case "body_missing":
      return "The body did not arrive. Send it with a Content-Length header, not in chunks.";
    case "body_not_utf8":
      return "The body is not valid UTF-8.";
    case "body_not_json":
      return "The body is not a JSON object.";
    case "response_type_unsupported":
      return "This response_type is not supported. Use code.";
    case "token_in_query":
      return "Tokens are not accepted in the URL. Send the token in the Authorization header.";
    case "authorization_malformed":
      return "The Authorization header is malformed. Send exactly one Bearer token.";
    case "two_client_authentications":
      return "The request has two client authentications. Send either a Bearer token or a client assertion.";
    case "client_secret_not_accepted":
      return "Client secrets are not accepted. Send an Entra access token for this service instead.";
    case "client_id_mismatch":
      return "client_id does not match the caller's token. Leave it out, or send the caller's client id.";
  }
}
