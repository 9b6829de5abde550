/**
 * `POST /oauth2/par` (RFC 9126 section 2.1): the authorization request of RFC 6749 section 4.1.1 with RFC 7636, as a
 * form. A parameter whose loss would weaken the sign-in is refused: another response type or mode, a request object, a
 * requirement that the service does not send to Entra. Unknown parameters are ignored (RFC 6749 section 3.1).
 */
import type { TokenParameters } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { URL_CLAIMS_MAX_BYTES } from "../core/limits.ts";
import { type Result, succeed } from "../core/result.ts";
import type { PushRequest } from "../sign-in/push-request.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest } from "./invalid-request.ts";
import { type Parameters, readForm, singleValue } from "./read-body.ts";
import { readClientAuthentication } from "./read-client-authentication.ts";
import { readTokenParameters } from "./read-token-parameters.ts";
import { refuseBodyNames, refuseSimilarNames } from "./similar-names.ts";

/** Printable ASCII with spaces. The service returns it in a URL. */
const STATE = /^[\x20-\x7e]{1,512}$/;
/** RFC 7636 section 4.2: base64url of a SHA-256. */
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
export const PROMPTS = ["none", "login", "consent", "select_account"];
/** A user name: any characters except control characters. */
const LOGIN_HINT = /^\P{C}{1,256}$/u;
const DOMAIN_HINT = /^[A-Za-z0-9.-]{1,253}$/;
/** Every parameter that the endpoint reads or refuses by name. */
export const PUSHED_PARAMETERS = [
  ...["client_id", "client_assertion", "client_assertion_type", "client_secret", "access_token"],
  ...["scope", "audience", "resource", "claims", "response_type", "response_mode", "redirect_uri", "state", "nonce"],
  ...["code_challenge", "code_challenge_method", "prompt", "login_hint", "domain_hint"],
  ...["request", "request_uri", "max_age", "acr_values", "id_token_hint", "registration"],
];
export const REFUSED_PUSHED_PARAMETERS = [
  "request",
  "request_uri",
  "max_age",
  "acr_values",
  "id_token_hint",
  "registration",
];

export async function readPushedRequest(request: IncomingRequest): Promise<Result<PushRequest, Failure>> {
  const query = refuseBodyNames(request, PUSHED_PARAMETERS);
  if (!query.ok) return query;
  const form = await readForm(request, ["resource", "audience"]);
  if (!form.ok) return form;
  const names = refuseSimilarNames(form.value.keys(), PUSHED_PARAMETERS);
  if (!names.ok) return names;
  const clientAuthentication = readClientAuthentication(request, form.value);
  if (!clientAuthentication.ok) return clientAuthentication;
  const refused = REFUSED_PUSHED_PARAMETERS.find((name) => form.value.has(name));
  if (refused !== undefined) return invalidRequest("parameter_not_supported", refused);
  const returnTo = readReturnAddress(form.value);
  if (!returnTo.ok) return returnTo;
  const tokenParameters = readTokenParameters(form.value);
  if (!tokenParameters.ok) return tokenParameters;
  const hints = readHints(form.value, tokenParameters.value);
  if (!hints.ok) return hints;
  const clientId = singleValue(form.value, "client_id");
  if (clientId === undefined) return invalidRequest("parameter_missing", "client_id");
  return succeed({
    clientAuthentication: clientAuthentication.value,
    clientId,
    tokenParameters: tokenParameters.value,
    returnTo: returnTo.value,
    hints: hints.value,
  });
}

// ------------------------------------------------------------------------------------------------------------------

function readReturnAddress(form: Parameters): Result<PushRequest["returnTo"], Failure> {
  const responseType = singleValue(form, "response_type");
  if (responseType === undefined) return invalidRequest("parameter_missing", "response_type");
  if (responseType !== "code") return invalidRequest("response_type_unsupported", "response_type");
  if ((singleValue(form, "response_mode") ?? "query") !== "query")
    return invalidRequest("parameter_not_supported", "response_mode");
  const redirectUri = singleValue(form, "redirect_uri");
  const state = singleValue(form, "state");
  if (redirectUri === undefined) return invalidRequest("parameter_missing", "redirect_uri");
  if (state !== undefined && !STATE.test(state)) return invalidRequest("parameter_invalid", "state");
  const codeChallenge = readChallenge(form);
  return codeChallenge.ok ? succeed({ redirectUri, state, codeChallenge: codeChallenge.value }) : codeChallenge;
}

/** RFC 7636 section 4.3: the default method is `plain`, which RFC 9700 section 2.1.1 forbids. */
function readChallenge(form: Parameters): Result<string, Failure> {
  const challenge = singleValue(form, "code_challenge");
  const method = singleValue(form, "code_challenge_method");
  if (challenge === undefined) return invalidRequest("parameter_missing", "code_challenge");
  if (method === undefined) return invalidRequest("parameter_missing", "code_challenge_method");
  if (method !== "S256") return invalidRequest("parameter_invalid", "code_challenge_method");
  return CHALLENGE.test(challenge) ? succeed(challenge) : invalidRequest("parameter_invalid", "code_challenge");
}

function readHints(
  form: Parameters,
  { claims, offlineAccess }: TokenParameters,
): Result<PushRequest["hints"], Failure> {
  const prompt = singleValue(form, "prompt");
  const loginHint = singleValue(form, "login_hint");
  const domainHint = singleValue(form, "domain_hint");
  const checks: readonly [string, boolean][] = [
    // The service shows a confirmation page before it issues a grant, so `prompt=none` is impossible with one.
    ["prompt", prompt === undefined || (PROMPTS.includes(prompt) && !(prompt === "none" && offlineAccess))],
    ["login_hint", loginHint === undefined || LOGIN_HINT.test(loginHint)],
    ["domain_hint", domainHint === undefined || DOMAIN_HINT.test(domainHint)],
    ["claims", claims === undefined || Buffer.byteLength(claims) <= URL_CLAIMS_MAX_BYTES],
  ];
  const invalid = checks.find(([, valid]) => !valid);
  return invalid === undefined
    ? succeed({ prompt, loginHint, domainHint, claims })
    : invalidRequest("parameter_invalid", invalid[0]);
}
