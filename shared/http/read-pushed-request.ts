/**
 * `POST /oauth2/par` (RFC 9126 section 2.1): the authorization request of RFC 6749 section 4.1.1 with RFC 7636, as a
 * form. What would weaken the sign-in if it were ignored (another response type or mode, a request object, a demand on
 * the sign-in that we do not pass on) is refused; anything unknown is ignored, as RFC 6749 section 3.1 asks.
 */
import type { TokenParameters } from "../core/exchange-request.ts";
import type { Failure, RequestProblem } from "../core/failure.ts";
import { URL_CLAIMS_MAX_BYTES } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { PushRequest } from "../sign-in/push-request.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { type Parameters, readForm } from "./read-body.ts";
import { readClientAuthentication } from "./read-client-authentication.ts";
import { readWish } from "./read-token-request.ts";

/** Printable ASCII, spaces included: it travels back in a URL. */
const STATE = /^[\x20-\x7e]{1,512}$/;
/** RFC 7636 section 4.2: base64url of a SHA-256. */
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
const PROMPTS = ["none", "login", "consent", "select_account"];
/** A user name: anything but control characters. */
const LOGIN_HINT = /^\P{C}{1,256}$/u;
const DOMAIN_HINT = /^[A-Za-z0-9.-]{1,253}$/;
const REFUSED = ["request", "request_uri", "max_age", "acr_values", "id_token_hint", "registration"];

export async function readPushedRequest(request: IncomingRequest): Promise<Result<PushRequest, Failure>> {
  const form = await readForm(request, ["resource", "audience"]);
  if (!form.ok) return form;
  const clientAuthentication = readClientAuthentication(request, form.value);
  if (!clientAuthentication.ok) return clientAuthentication;
  const refused = REFUSED.find((name) => form.value.has(name));
  if (refused !== undefined) return problem("parameter_not_supported", refused);
  const returnTo = readReturnAddress(form.value);
  if (!returnTo.ok) return returnTo;
  const tokenParameters = readWish(form.value);
  if (!tokenParameters.ok) return tokenParameters;
  const hints = readHints(form.value, tokenParameters.value);
  if (!hints.ok) return hints;
  const clientId = one(form.value, "client_id");
  return clientId === undefined
    ? problem("parameter_missing", "client_id")
    : succeed({
        clientAuthentication: clientAuthentication.value,
        clientId,
        tokenParameters: tokenParameters.value,
        returnTo: returnTo.value,
        hints: hints.value,
      });
}

function readReturnAddress(form: Parameters): Result<PushRequest["returnTo"], Failure> {
  const responseType = one(form, "response_type");
  if (responseType !== "code") {
    return problem(responseType === undefined ? "parameter_missing" : "response_type_unsupported", "response_type");
  }
  if ((one(form, "response_mode") ?? "query") !== "query") return problem("parameter_not_supported", "response_mode");
  const redirectUri = one(form, "redirect_uri");
  const state = one(form, "state");
  if (redirectUri === undefined) return problem("parameter_missing", "redirect_uri");
  if (state !== undefined && !STATE.test(state)) return problem("parameter_invalid", "state");
  const codeChallenge = readChallenge(form);
  return codeChallenge.ok ? succeed({ redirectUri, state, codeChallenge: codeChallenge.value }) : codeChallenge;
}

/** RFC 7636 section 4.3: without a method it would be `plain`, which RFC 9700 section 2.1.1 rules out. */
function readChallenge(form: Parameters): Result<string, Failure> {
  const challenge = one(form, "code_challenge");
  const method = one(form, "code_challenge_method");
  if (challenge === undefined || method === undefined) {
    return problem("parameter_missing", challenge === undefined ? "code_challenge" : "code_challenge_method");
  }
  if (method !== "S256") return problem("parameter_invalid", "code_challenge_method");
  return CHALLENGE.test(challenge) ? succeed(challenge) : problem("parameter_invalid", "code_challenge");
}

function readHints(
  form: Parameters,
  { claims, offlineAccess }: TokenParameters,
): Result<PushRequest["hints"], Failure> {
  const prompt = one(form, "prompt");
  const loginHint = one(form, "login_hint");
  const domainHint = one(form, "domain_hint");
  const checks: readonly [string, boolean][] = [
    // Before a permission is kept, a page asks: that cannot be done unseen.
    ["prompt", prompt === undefined || (PROMPTS.includes(prompt) && !(prompt === "none" && offlineAccess))],
    ["login_hint", loginHint === undefined || LOGIN_HINT.test(loginHint)],
    ["domain_hint", domainHint === undefined || DOMAIN_HINT.test(domainHint)],
    ["claims", claims === undefined || Buffer.byteLength(claims) <= URL_CLAIMS_MAX_BYTES],
  ];
  const wrong = checks.find(([, right]) => !right);
  return wrong === undefined
    ? succeed({ prompt, loginHint, domainHint, claims })
    : problem("parameter_invalid", wrong[0]);
}

function one(form: Parameters, name: string): string | undefined {
  return form.get(name)?.[0];
}

function problem(kind: RequestProblem, parameter: string) {
  return fail({ kind: "request_invalid", problem: kind, parameter } as const);
}
