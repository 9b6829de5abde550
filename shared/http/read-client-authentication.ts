/**
 * Reads how the client authenticates: exactly one method (RFC 6749 section 2.3, RFC 6750 section 2). A secret or a
 * password gets its own error and is not read. `x-ms-client-principal` and similar headers are ignored, because any
 * client can send them when Easy Auth is off.
 */
import type { ClientAuthentication, TokenAuthentication } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest } from "./invalid-request.ts";
import { queryOf } from "./query-of.ts";
import { type Parameters, singleValue } from "./read-body.ts";

/** RFC 6750 section 2.1. The host joins repeated headers with a comma, and no token contains a comma. */
const BEARER = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i;
const CLIENT_ASSERTION_JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

type BearerAuthentication = Extract<ClientAuthentication, { method: "bearer" }>;

/** The bearer token in the `Authorization` header, or undefined without this header. */
export function readBearer(request: IncomingRequest): Result<BearerAuthentication | undefined, Failure> {
  const header = request.headers.get("authorization");
  if (queryOf(request).has("access_token")) return invalidRequest("token_in_query", "access_token");
  if (header === null || header === "") return succeed(undefined);
  if (/^Basic( |$)/i.test(header)) return invalidRequest("client_secret_not_accepted", "Authorization");
  const token = BEARER.exec(header)?.[1];
  return token === undefined
    ? invalidRequest("authorization_malformed", "Authorization")
    : succeed({ method: "bearer", token: new SecretValue(token) });
}

/**
 * The client authentication of a form request: a bearer token, a client assertion or neither. `readTokenRequest`
 * decides whether the token to exchange also authenticates the client.
 */
export function readClientAuthentication(
  request: IncomingRequest,
  form: Parameters,
): Result<TokenAuthentication | undefined, Failure> {
  const bearer = readBearer(request);
  if (!bearer.ok) return bearer;
  if (form.has("client_secret")) return invalidRequest("client_secret_not_accepted", "client_secret");
  // RFC 6750 section 2.2 allows a token in a form. The service accepts it in the header only.
  if (form.has("access_token")) return invalidRequest("parameter_not_supported", "access_token");
  const assertion = singleValue(form, "client_assertion");
  const type = singleValue(form, "client_assertion_type");
  if (assertion === undefined && type === undefined) return bearer;
  if (bearer.value !== undefined) return invalidRequest("two_client_authentications");
  if (assertion === undefined) return invalidRequest("parameter_missing", "client_assertion");
  return type === CLIENT_ASSERTION_JWT
    ? succeed({ method: "client_assertion", token: new SecretValue(assertion) })
    : invalidRequest("parameter_invalid", "client_assertion_type");
}
