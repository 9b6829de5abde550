/**
 * Unreadable requests as responses: nearly all `invalid_request`, each with a message that helps to correct the
 * request.
 */

import type { BatchProblem } from "../core/batch-problem.ts";
import type { TargetProblem } from "../core/downstream-target.ts";
import type { HandleMistake, RequestHint, RequestProblem } from "../core/failure.ts";
import { JSON_DEPTH_MAX } from "../core/json-text.ts";
import { PARAMETERS_MAX } from "../core/limits.ts";
import type { Wire } from "./wire.ts";

/** `parameter` is a fixed name or the result of `safeName`. */
export function requestProblemToWire(problem: RequestProblem, parameter?: string, hint?: RequestHint): Wire {
  return {
    status: 400,
    error: errorOf(problem),
    code: problem,
    description: descriptionOf(problem, parameter, hint),
    action: "fix_request",
  };
}

// ------------------------------------------------------------------------------------------------------------------

/** The Functions host drops a body without `Content-Length`, and these clients send such a body in common cases. */
const BODY_MISSING = [
  "The body did not arrive, because it was sent in chunks. Send it with a Content-Length header.",
  ".NET: use StringContent, or call await content.LoadIntoBufferAsync() before you send JsonContent.",
  "JavaScript: give fetch a string as body, not a stream.",
  "Python: give requests the bytes as data, not a generator.",
].join(" ");

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

function descriptionOf(problem: RequestProblem, parameter = "a parameter", hint?: RequestHint): string {
  const subject = parameter === "a parameter" ? "A parameter" : `The parameter ${parameter}`;
  switch (problem) {
    case "parameter_missing":
      return `${subject} is missing.`;
    case "parameter_repeated":
      return `${subject} is repeated. Send it once.`;
    case "parameter_invalid":
      return `${subject} has an invalid value.${supportedIn(hint)}`;
    case "parameter_not_supported":
      return `${subject} is not supported here. ${advice(hint)}`;
    case "parameter_in_query":
      return `${subject} is not read from the query. Send it in the body of a POST.${suggestion(hint)}`;
    case "handle_malformed":
      return `${subject} is not a grant handle. A handle begins with gte_ and has 47 characters. ${diagnosisOf(hint)}`;
    case "scope_malformed":
      return `${subject} has an invalid scope name. Send scope names with one space between them.`;
    case "too_many_parameters":
      return `The request has too many parameters. The maximum is ${PARAMETERS_MAX}.`;
    case "too_many_revocations":
      return "The service has its maximum of revocations. Revoke everything, which replaces them all.";
    case "body_missing":
      return BODY_MISSING;
    case "body_not_utf8":
      return "The body is not valid UTF-8.";
    case "body_not_json":
      return `The body is not a JSON object, or nests deeper than ${JSON_DEPTH_MAX} levels.`;
    case "path_invalid":
      return `The path or the query of the request to the API is not accepted. ${targetAdvice(hint)}`;
    case "batch_invalid":
      return `The batch is not accepted. ${batchAdvice(hint)}`;
    case "response_type_unsupported":
      return "This response_type is not supported. Use code.";
    case "token_in_query":
      return "Tokens are not accepted in the URL. Send the token in the Authorization header.";
    case "authorization_malformed":
      return "The Authorization header is malformed. Send exactly one Bearer token.";
    case "two_client_authentications":
      return "The request has two client authentications. Send one: a Bearer token, a client assertion or a client secret.";
    case "client_secret_not_accepted":
      return "The service accepts no client secret for this request. Send an Entra access token for this service instead.";
    case "client_id_mismatch":
      return "client_id does not match the client that authenticates. Leave it out, or send the id of that client.";
  }
}

function advice(hint: RequestHint | undefined): string {
  return (suggestion(hint).trimStart() || "Leave it out.") + supportedIn(hint);
}

function supportedIn(hint: RequestHint | undefined): string {
  const supported = hint !== undefined && "supported" in hint ? hint.supported : undefined;
  return supported === undefined ? "" : ` Supported: ${supported.join(", ")}.`;
}

function suggestion(hint: RequestHint | undefined): string {
  const meant = hint !== undefined && "meant" in hint ? hint.meant : undefined;
  return meant === undefined ? "" : ` Did you mean ${meant}?`;
}

const DIAGNOSES: Readonly<Record<HandleMistake, string>> = {
  empty: "The value is empty.",
  expression: "This looks like an unresolved expression. Send the value that the expression stands for.",
  quoted: "Remove the quotation marks around the value.",
  incomplete: "This one is incomplete or changed. Copy it again.",
  entra_token: "This looks like a token of Entra. Send a handle, which the service returns once as grant.",
  other: "Send the value that the service returned as grant.",
};

function diagnosisOf(hint: RequestHint | undefined): string {
  return DIAGNOSES[hint !== undefined && "looksLike" in hint ? hint.looksLike : "other"];
}

const TARGETS: Readonly<Record<TargetProblem, string>> = {
  too_long: "It is too long.",
  not_utf8: "Its percent-encoding is not UTF-8.",
  control_character: "It has a control or format character.",
  double_encoding: "It has a percent sign after decoding: encode it once.",
  slash: "A segment has an encoded slash or a backslash.",
  matrix_parameter: "A segment has a semicolon.",
  reserved_character: "It has a number sign, or a segment has a question mark.",
  dot_segment: "It has a dot segment: write the path without them.",
  trailing_dot: "A segment ends with a dot or a space.",
  empty_segment: "It has an empty segment: send the path without // and without a slash at the end.",
  query_name: "A query option has no name, or a name with forbidden characters.",
  query_repeated: "A query option is repeated.",
  other_spelling: "The host normalised it: send it without dot segments, backslashes and double encoding.",
};

function targetAdvice(hint: RequestHint | undefined): string {
  return TARGETS[hint !== undefined && "target" in hint ? hint.target : "other_spelling"];
}

const BATCHES: Readonly<Record<BatchProblem, string>> = {
  not_json: "The body must be JSON with one member, requests.",
  charset: "The charset must be UTF-8.",
  form: "Each request has id, method and url, and may have headers (visible ASCII), body and dependsOn. No id is repeated.",
  too_many: "A batch has 1 to 20 requests.",
  too_many_values: "The bodies in the batch have more than 50,000 JSON values together.",
  nested: "A batch must not contain a batch.",
  method: "The method must be GET, HEAD, POST, PUT, PATCH or DELETE.",
  target: "The url of a request must be a normalised path relative to the version, such as /me/messages.",
};

function batchAdvice(hint: RequestHint | undefined): string {
  return BATCHES[hint !== undefined && "batch" in hint ? hint.batch : "form"];
}
