/**
 * How the caller shows who it is: exactly one method (RFC 6749 section 2.3, RFC 6750 section 2). A secret or a password
 * sent here is refused by name and never read further. `x-ms-client-principal` and its relatives are not looked at: with
 * Easy Auth off, anybody can send them.
 */
import type { ClientAuthentication } from "../core/exchange-request.ts";
import type { Failure, RequestProblem } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { queryOf } from "./query-of.ts";
import type { Parameters } from "./read-body.ts";

/** RFC 6750 section 2.1. Repeated headers arrive joined with a comma, which no token contains. */
const BEARER = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i;
const CLIENT_ASSERTION_JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** What a client proves itself with: never the token that it wants exchanged. */
export type TokenAuthentication = Exclude<ClientAuthentication, { method: "subject_itself" }>;

type BearerAuthentication = Extract<ClientAuthentication, { method: "bearer" }>;

/** The bearer token in the `Authorization` header; undefined without the header. */
export function readBearer(request: IncomingRequest): Result<BearerAuthentication | undefined, Failure> {
  const header = request.headers.get("authorization");
  if (queryOf(request).has("access_token")) return problem("token_in_query", "access_token");
  if (header === null || header === "") return succeed(undefined);
  if (/^Basic( |$)/i.test(header)) return problem("client_secret_not_accepted", "Authorization");
  const token = BEARER.exec(header)?.[1];
  return token === undefined
    ? problem("authorization_malformed", "Authorization")
    : succeed({ method: "bearer", token: new SecretValue(token) });
}

/**
 * The proof at the token endpoint: a bearer, or a client assertion, or neither. Whether the token to exchange may stand
 * for both is decided where it is read.
 */
export function readClientAuthentication(
  request: IncomingRequest,
  form: Parameters,
): Result<TokenAuthentication | undefined, Failure> {
  const bearer = readBearer(request);
  if (!bearer.ok) return bearer;
  if (form.has("client_secret")) return problem("client_secret_not_accepted", "client_secret");
  if (form.has("access_token")) {
    // RFC 6750 section 2.2 lets a token come in a form; one way to call is enough, and this is not it.
    return problem("parameter_not_supported", "access_token");
  }
  const assertion = form.get("client_assertion")?.[0];
  const type = form.get("client_assertion_type")?.[0];
  if (assertion === undefined && type === undefined) return bearer;
  if (bearer.value !== undefined) return problem("two_client_authentications");
  if (assertion === undefined) return problem("parameter_missing", "client_assertion");
  return type === CLIENT_ASSERTION_JWT
    ? succeed({ method: "client_assertion", token: new SecretValue(assertion) })
    : problem("parameter_invalid", "client_assertion_type");
}

function problem(kind: RequestProblem, parameter?: string) {
  return fail({ kind: "request_invalid", problem: kind, ...(parameter === undefined ? {} : { parameter }) } as const);
}
