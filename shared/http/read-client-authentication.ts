/**
 * Reads how the client authenticates: exactly one method (RFC 6749 section 2.3, RFC 6750 section 2). A client secret is
 * read from a form request only, and the policy decides whether it counts. `x-ms-client-principal` and similar headers are
 * ignored, because any client can send them when Easy Auth is off.
 */
import type { ClientAuthentication, ClientSecret, TokenAuthentication } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { isGuid } from "../core/guid.ts";
import { type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest } from "./invalid-request.ts";
import { queryOf } from "./query-of.ts";
import { readBasic } from "./read-basic.ts";
import { type Parameters, singleValue } from "./read-body.ts";

/** RFC 6750 section 2.1. The host joins repeated headers with a comma, and no token contains a comma. */
const BEARER = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i;
const CLIENT_ASSERTION_JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/**
 * RFC 6749 appendix A.2: printable ASCII. Entra's secrets have 16 to 64 characters
 * (https://learn.microsoft.com/graph/api/resources/passwordcredential); the limit leaves room for older ones.
 */
const SECRET = /^[\x20-\x7e]{1,256}$/;

type BearerAuthentication = Extract<ClientAuthentication, { method: "bearer" }>;

/** The bearer token in the `Authorization` header, or undefined without this header. */
export function readBearer(request: IncomingRequest): Result<BearerAuthentication | undefined, Failure> {
  const header = readAuthorization(request);
  if (!header.ok) return header;
  return header.value?.method === "client_secret" ? secretNotAccepted("Authorization") : succeed(header.value);
}

/**
 * The client authentication of a form request: a bearer token, a client assertion, a client secret or none.
 * `readTokenRequest` decides whether the token to exchange also authenticates the client.
 */
export function readClientAuthentication(
  request: IncomingRequest,
  form: Parameters,
): Result<TokenAuthentication | undefined, Failure> {
  const header = readAuthorization(request);
  if (!header.ok) return header;
  const secret = readFormSecret(form);
  if (!secret.ok) return secret;
  // RFC 6750 section 2.2 allows a token in a form. The service accepts it in the header only.
  if (form.has("access_token")) return invalidRequest("parameter_not_supported", "access_token");
  const hasAssertion = form.has("client_assertion") || form.has("client_assertion_type");
  const sent = [header.value !== undefined, secret.value !== undefined, hasAssertion];
  if (sent.filter((one) => one).length > 1) return invalidRequest("two_client_authentications");
  if (hasAssertion) return readAssertion(form);
  const read = header.value ?? secret.value;
  return read?.method === "client_secret" && !matchesForm(read, form)
    ? invalidRequest("client_id_mismatch", "client_id")
    : succeed(read);
}

// ------------------------------------------------------------------------------------------------------------------

function readAuthorization(request: IncomingRequest): Result<BearerAuthentication | ClientSecret | undefined, Failure> {
  const header = request.headers.get("authorization");
  if (queryOf(request).has("access_token")) return invalidRequest("token_in_query", "access_token");
  if (header === null || header === "") return succeed(undefined);
  if (/^Basic( |$)/i.test(header)) {
    const basic = readBasic(header);
    return basic === undefined ? secretNotAccepted("Authorization") : toSecret(basic, "Authorization");
  }
  const token = BEARER.exec(header)?.[1];
  return token === undefined
    ? invalidRequest("authorization_malformed", "Authorization")
    : succeed({ method: "bearer", token: new SecretValue(token) });
}

/** `client_secret_post`: `client_id` and `client_secret` in the form. */
function readFormSecret(form: Parameters): Result<ClientSecret | undefined, Failure> {
  const secret = singleValue(form, "client_secret");
  if (secret === undefined) return succeed(undefined);
  return toSecret({ clientId: singleValue(form, "client_id") ?? "", secret }, "client_secret");
}

/** What cannot be the id and the secret of an application at Entra is refused like any secret that does not count. */
function toSecret(
  { clientId, secret }: { readonly clientId: string; readonly secret: string },
  sentIn: ClientSecret["sentIn"],
): Result<ClientSecret, Failure> {
  return isGuid(clientId) && SECRET.test(secret)
    ? succeed({ method: "client_secret", clientId: clientId.toLowerCase(), secret: new SecretValue(secret), sentIn })
    : secretNotAccepted(sentIn);
}

function readAssertion(form: Parameters): Result<TokenAuthentication, Failure> {
  const assertion = singleValue(form, "client_assertion");
  if (assertion === undefined) return invalidRequest("parameter_missing", "client_assertion");
  return singleValue(form, "client_assertion_type") === CLIENT_ASSERTION_JWT
    ? succeed({ method: "client_assertion", token: new SecretValue(assertion) })
    : invalidRequest("parameter_invalid", "client_assertion_type");
}

/** A `client_id` in the form names the same client as the `Authorization` header. */
function matchesForm({ clientId }: ClientSecret, form: Parameters): boolean {
  const claimed = singleValue(form, "client_id");
  return claimed === undefined || claimed.toLowerCase() === clientId;
}

function secretNotAccepted(parameter: ClientSecret["sentIn"]): ReturnType<typeof invalidRequest> {
  return invalidRequest("client_secret_not_accepted", parameter);
}
