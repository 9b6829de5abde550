/**
 * `POST /oauth2/token`: a form → an exchange request. RFC 6749 section 3.2, RFC 8693 section 2.1, RFC 7523 section 2.1.
 * The body is read once and bounded; nothing here trusts a token.
 */

import type { ClientAuthentication, ExchangeRequest, GrantRequest, TokenParameters } from "../core/exchange-request.ts";
import type { Failure, RequestProblem } from "../core/failure.ts";
import type { FlowName } from "../core/flow-name.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { type Parameters, readForm } from "./read-body.ts";
import { readClientAuthentication } from "./read-client-authentication.ts";
import { readClaims, readCorrelationId, readScopes } from "./read-token-parameters.ts";

export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
export const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
export const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";
const JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt";

/** RFC 8693 section 2.1 and RFC 8707 section 2 let exactly these repeat. */
const REPEATABLE = ["resource", "audience"];

export async function readTokenRequest(
  request: IncomingRequest,
  correlationId = readCorrelationId(request),
): Promise<Result<ExchangeRequest, Failure>> {
  const form = await readForm(request, REPEATABLE);
  if (!form.ok) return form;
  const grantType = one(form.value, "grant_type");
  if (grantType === undefined) return problem("parameter_missing", "grant_type");
  const known = Object.hasOwn(GRANT_TYPES, grantType) ? GRANT_TYPES[grantType] : undefined;
  if (known === undefined) {
    return fail({ kind: "grant_type_unsupported", asked: grantType === "password" ? "password" : "other" });
  }
  const grantRequest = known.read(form.value);
  if (!grantRequest.ok) return grantRequest;
  const clientAuthentication = readClientAuthentication(request, form.value);
  if (!clientAuthentication.ok) return clientAuthentication;
  const tokenParameters = readWish(form.value);
  if (!tokenParameters.ok) return tokenParameters;
  return succeed({
    clientAuthentication: clientAuthentication.value ?? authenticatesItself(grantRequest.value),
    claimedClientId: one(form.value, "client_id"),
    grantRequest: grantRequest.value,
    tokenParameters: tokenParameters.value,
    correlationId,
  });
}

interface GrantType {
  readonly flow: FlowName;
  read(form: Parameters): Result<GrantRequest, Failure>;
}

/** The grant types of the endpoint, one reader each. */
const GRANT_TYPES: Readonly<Record<string, GrantType>> = {
  [TOKEN_EXCHANGE]: { flow: "on-behalf-of", read: readTokenExchange },
  [JWT_BEARER]: { flow: "on-behalf-of", read: readJwtBearer },
  refresh_token: { flow: "refresh-token", read: readRefreshToken },
  authorization_code: { flow: "authorization-code", read: readAuthorizationCode },
  client_credentials: { flow: "client-credentials", read: () => succeed({ flow: "client-credentials" }) },
};

/** The names of the grant types that ask for these flows, for the metadata document. */
export function grantTypesOf(flows: ReadonlySet<FlowName>): string[] {
  return Object.entries(GRANT_TYPES).flatMap(([name, { flow }]) => (flows.has(flow) ? [name] : []));
}

function readTokenExchange(form: Parameters): Result<GrantRequest, Failure> {
  const subject = one(form, "subject_token");
  const type = one(form, "subject_token_type");
  if (subject === undefined || type === undefined) {
    return problem("parameter_missing", subject === undefined ? "subject_token" : "subject_token_type");
  }
  if (type !== ACCESS_TOKEN_TYPE && type !== JWT_TYPE) return problem("parameter_invalid", "subject_token_type");
  // Entra ignores actors; accepting one would claim a delegation that is not made.
  for (const actor of ["actor_token", "actor_token_type"]) {
    if (form.has(actor)) return problem("parameter_not_supported", actor);
  }
  const requested = one(form, "requested_token_type") ?? ACCESS_TOKEN_TYPE;
  if (requested !== ACCESS_TOKEN_TYPE) return problem("parameter_not_supported", "requested_token_type");
  return succeed({ flow: "on-behalf-of", subject: new SecretValue(subject), presentedAs: "subject_token" });
}

function readJwtBearer(form: Parameters): Result<GrantRequest, Failure> {
  const assertion = one(form, "assertion");
  if (assertion === undefined) return problem("parameter_missing", "assertion");
  if (one(form, "requested_token_use") !== "on_behalf_of") {
    return problem(form.has("requested_token_use") ? "parameter_invalid" : "parameter_missing", "requested_token_use");
  }
  return succeed({ flow: "on-behalf-of", subject: new SecretValue(assertion), presentedAs: "assertion" });
}

function readRefreshToken(form: Parameters): Result<GrantRequest, Failure> {
  const token = one(form, "refresh_token");
  return token === undefined
    ? problem("parameter_missing", "refresh_token")
    : succeed({ flow: "refresh-token", refreshToken: new SecretValue(token) });
}

/** RFC 6749 section 4.1.3, RFC 7636 section 4.5: all three, always, because every code was bound to all three. */
function readAuthorizationCode(form: Parameters): Result<GrantRequest, Failure> {
  const code = one(form, "code");
  const redirectUri = one(form, "redirect_uri");
  const verifier = one(form, "code_verifier");
  if (code === undefined || redirectUri === undefined || verifier === undefined) {
    const missing = ["code", "redirect_uri", "code_verifier"].find((name) => !form.has(name));
    return problem("parameter_missing", missing ?? "code");
  }
  if (!VERIFIER.test(verifier)) return problem("parameter_invalid", "code_verifier");
  const codeVerifier = new SecretValue(verifier);
  return succeed({ flow: "authorization-code", code: new SecretValue(code), redirectUri, codeVerifier });
}

/** RFC 7636 section 4.1. */
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

/** Without another proof, a user may exchange the very token presented. */
function authenticatesItself(grantRequest: GrantRequest): ClientAuthentication | undefined {
  return grantRequest.flow === "on-behalf-of" ? { method: "subject_itself" } : undefined;
}

/** What token and pushed requests say alike about the token that is wanted. */
export function readWish(form: Parameters): Result<TokenParameters, Failure> {
  const scopes = readScopes(
    one(form, "scope")
      ?.split(" ")
      .filter((scope) => scope !== ""),
    "scope",
  );
  if (!scopes.ok) return scopes;
  const claims = readClaims(one(form, "claims"), "claims");
  if (!claims.ok) return claims;
  return succeed({
    audiences: form.get("audience") ?? [],
    resources: form.get("resource") ?? [],
    ...scopes.value,
    claims: claims.value,
    forceRefresh: false,
    minimumSeconds: 0,
  });
}

function one(form: Parameters, name: string): string | undefined {
  return form.get(name)?.[0];
}

function problem(kind: RequestProblem, parameter: string) {
  return fail({ kind: "request_invalid", problem: kind, parameter } as const);
}
