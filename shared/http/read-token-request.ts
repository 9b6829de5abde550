/**
 * `POST /oauth2/token`: a form → an exchange request. RFC 6749 section 3.2, RFC 8693 section 2.1, RFC 7523 section 2.1.
 * Tokens are taken from the form unchecked.
 */

import type { ClientAuthentication, ExchangeRequest, GrantRequest } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import type { FlowName } from "../core/flow-name.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest } from "./invalid-request.ts";
import { type Parameters, readForm, singleValue } from "./read-body.ts";
import { readClientAuthentication } from "./read-client-authentication.ts";
import { readRefreshToken, readVerifier } from "./read-handle.ts";
import { readCorrelationId, readTokenParameters } from "./read-token-parameters.ts";
import { refuseBodyNames, refuseSimilarNames } from "./similar-names.ts";

export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
export const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
export const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";
const JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt";
/** The types of a `subject_token` and of an `actor_token`. */
const TOKEN_TYPES: readonly string[] = [ACCESS_TOKEN_TYPE, JWT_TYPE];

/** RFC 8693 section 2.1 and RFC 8707 section 2 allow only these parameters to repeat. */
const REPEATABLE = ["resource", "audience"];
/** Every parameter that the endpoint reads or refuses by name. */
export const TOKEN_PARAMETERS = [
  ...["grant_type", "client_id", "client_assertion", "client_assertion_type", "client_secret", "access_token"],
  ...["scope", "audience", "resource", "claims", "code", "redirect_uri", "code_verifier", "refresh_token"],
  ...["subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type"],
  ...["assertion", "requested_token_use"],
];

export async function readTokenRequest(
  request: IncomingRequest,
  correlationId = readCorrelationId(request),
): Promise<Result<ExchangeRequest, Failure>> {
  const query = refuseBodyNames(request, TOKEN_PARAMETERS);
  if (!query.ok) return query;
  const form = await readForm(request, REPEATABLE);
  if (!form.ok) return form;
  const names = refuseSimilarNames(form.value.keys(), TOKEN_PARAMETERS);
  if (!names.ok) return names;
  const grantRequest = readGrantRequest(form.value);
  if (!grantRequest.ok) return grantRequest;
  const clientAuthentication = readClientAuthentication(request, form.value);
  if (!clientAuthentication.ok) return clientAuthentication;
  const tokenParameters = readTokenParameters(form.value);
  if (!tokenParameters.ok) return tokenParameters;
  return succeed({
    clientAuthentication: clientAuthentication.value ?? authenticatesItself(grantRequest.value),
    claimedClientId: singleValue(form.value, "client_id"),
    grantRequest: grantRequest.value,
    tokenParameters: tokenParameters.value,
    correlationId,
  });
}

/** The grant types that request one of these flows, for the metadata document. */
export function grantTypesOf(flows: ReadonlySet<FlowName>): string[] {
  return Object.entries(GRANT_TYPES).flatMap(([name, { flow }]) => (flows.has(flow) ? [name] : []));
}

// ------------------------------------------------------------------------------------------------------------------

interface GrantType {
  readonly flow: FlowName;
  read(form: Parameters): Result<GrantRequest, Failure>;
}

/** The grant types of the endpoint, one reader each. */
const GRANT_TYPES: Readonly<Record<string, GrantType>> = {
  [TOKEN_EXCHANGE]: { flow: "on-behalf-of", read: readTokenExchange },
  [JWT_BEARER]: { flow: "on-behalf-of", read: readJwtBearer },
  refresh_token: { flow: "refresh-token", read: readRefreshTokenGrant },
  authorization_code: { flow: "authorization-code", read: readAuthorizationCode },
  client_credentials: { flow: "client-credentials", read: () => succeed({ flow: "client-credentials" }) },
};

function readGrantRequest(form: Parameters): Result<GrantRequest, Failure> {
  const name = singleValue(form, "grant_type");
  if (name === undefined) return invalidRequest("parameter_missing", "grant_type");
  const grantType = Object.hasOwn(GRANT_TYPES, name) ? GRANT_TYPES[name] : undefined;
  return grantType === undefined
    ? fail({ kind: "grant_type_unsupported", requested: name === "password" ? "password" : "other" })
    : grantType.read(form);
}

function readTokenExchange(form: Parameters): Result<GrantRequest, Failure> {
  const subject = singleValue(form, "subject_token");
  const type = singleValue(form, "subject_token_type");
  if (subject === undefined) return invalidRequest("parameter_missing", "subject_token");
  if (type === undefined) return invalidRequest("parameter_missing", "subject_token_type");
  if (!TOKEN_TYPES.includes(type)) return invalidTokenType("subject_token_type");
  const actor = readActor(form);
  if (!actor.ok) return actor;
  const requested = singleValue(form, "requested_token_type") ?? ACCESS_TOKEN_TYPE;
  if (requested !== ACCESS_TOKEN_TYPE) {
    return invalidRequest("parameter_not_supported", "requested_token_type", { supported: [ACCESS_TOKEN_TYPE] });
  }
  return succeed({
    flow: "on-behalf-of",
    subject: new SecretValue(subject),
    presentedAs: "subject_token",
    ...(actor.value === undefined ? {} : { actor: actor.value }),
  });
}

/** RFC 8693 section 2.1: `actor_token_type` is required with `actor_token` and not allowed without it. */
function readActor(form: Parameters): Result<SecretValue | undefined, Failure> {
  const actor = singleValue(form, "actor_token");
  const type = singleValue(form, "actor_token_type");
  if (actor === undefined && type === undefined) return succeed(undefined);
  if (actor === undefined) return invalidRequest("parameter_missing", "actor_token");
  if (type === undefined) return invalidRequest("parameter_missing", "actor_token_type");
  return TOKEN_TYPES.includes(type) ? succeed(new SecretValue(actor)) : invalidTokenType("actor_token_type");
}

function invalidTokenType(parameter: string) {
  return invalidRequest("parameter_invalid", parameter, { supported: TOKEN_TYPES });
}

function readJwtBearer(form: Parameters): Result<GrantRequest, Failure> {
  const assertion = singleValue(form, "assertion");
  const use = singleValue(form, "requested_token_use");
  if (assertion === undefined) return invalidRequest("parameter_missing", "assertion");
  if (use === undefined) return invalidRequest("parameter_missing", "requested_token_use");
  if (use !== "on_behalf_of") return invalidRequest("parameter_invalid", "requested_token_use");
  return succeed({ flow: "on-behalf-of", subject: new SecretValue(assertion), presentedAs: "assertion" });
}

function readRefreshTokenGrant(form: Parameters): Result<GrantRequest, Failure> {
  const token = singleValue(form, "refresh_token");
  if (token === undefined) return invalidRequest("parameter_missing", "refresh_token");
  const verifier = readVerifier(singleValue(form, "code_verifier"), "code_verifier");
  if (!verifier.ok) return verifier;
  const read = readRefreshToken(token, "refresh_token");
  return read.ok ? succeed({ ...read.value, codeVerifier: verifier.value }) : read;
}

/**
 * RFC 6749 section 4.1.3, RFC 7636 section 4.5. Every code is bound to a redirect URI and a challenge, so all are
 * required.
 */
function readAuthorizationCode(form: Parameters): Result<GrantRequest, Failure> {
  const code = singleValue(form, "code");
  const redirectUri = singleValue(form, "redirect_uri");
  const verifier = singleValue(form, "code_verifier");
  if (code === undefined) return invalidRequest("parameter_missing", "code");
  if (redirectUri === undefined) return invalidRequest("parameter_missing", "redirect_uri");
  const codeVerifier = readVerifier(verifier, "code_verifier");
  if (!codeVerifier.ok) return codeVerifier;
  if (codeVerifier.value === undefined) return invalidRequest("parameter_missing", "code_verifier");
  return succeed({
    flow: "authorization-code",
    code: new SecretValue(code),
    redirectUri,
    codeVerifier: codeVerifier.value,
  });
}

/** Without client authentication, a user may exchange the token that it presents: the token authenticates the user. */
function authenticatesItself(grantRequest: GrantRequest): ClientAuthentication | undefined {
  return grantRequest.flow === "on-behalf-of" ? { method: "subject_itself" } : undefined;
}
