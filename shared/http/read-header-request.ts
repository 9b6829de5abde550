/**
 * `GET|POST /AuthorizationHeader/{api}` and `/AuthorizationHeaderUnauthenticated/{api}` → an exchange request. GET
 * accepts the query parameters of Microsoft's sidecar. A parameter that would change the identity of the token (another
 * tenant, an agent, a bound key) is refused, because ignoring it would return a token other than the requested one.
 * POST accepts a small JSON object.
 */
import type { ExchangeRequest, GrantRequest, TokenParameters } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest, unknownParameter } from "./invalid-request.ts";
import { queryOf } from "./query-of.ts";
import { collectParameters, type Parameters, readJsonBody, safeName, singleValue } from "./read-body.ts";
import { readBearer } from "./read-client-authentication.ts";
import { readClaims, readCorrelationId, readScopeList } from "./read-token-parameters.ts";

/** A day. A caller cannot reasonably require more. */
const MINIMUM_SECONDS_MAX = 86_400;
const NO_PARAMETERS: Parameters = new Map();
const POST_MEMBERS = ["scopes", "grant", "claims", "minimumSeconds", "forceRefresh"];

/**
 * Parameters of the sidecar that would change the identity of the token. Other names that begin with `optionsOverride.`
 * are ignored, as the sidecar ignores unknown ones.
 */
const REFUSED_OVERRIDES = [
  "agentidentity",
  "agentusername",
  "agentuserid",
  "optionsoverride.acquiretokenoptions.tenant",
  "optionsoverride.acquiretokenoptions.fmipath",
  "optionsoverride.acquiretokenoptions.poppublickey",
  "optionsoverride.acquiretokenoptions.longrunningwebapisessionkey",
  "optionsoverride.acquiretokenoptions.managedidentity.userassignedclientid",
];

/** Whose token the route returns: a user's, or the application's own. */
export type HeaderRoute = "user" | "application";

export async function readHeaderRequest(
  request: IncomingRequest,
  route: HeaderRoute,
  ownCorrelationId = readCorrelationId(request),
): Promise<Result<ExchangeRequest, Failure>> {
  const clientAuthentication = readBearer(request);
  if (!clientAuthentication.ok) return clientAuthentication;
  const parameters = request.method === "POST" ? await readPost(request) : readGet(request, route);
  if (!parameters.ok) return parameters;
  const { tokenParameters, grant, correlationId = ownCorrelationId } = parameters.value;
  if (grant !== undefined && route === "application") return invalidRequest("parameter_not_supported", "grant");
  return succeed({
    clientAuthentication: clientAuthentication.value,
    claimedClientId: undefined,
    grantRequest: grantRequestFor(route, grant),
    tokenParameters,
    correlationId,
  });
}

// ------------------------------------------------------------------------------------------------------------------

interface HeaderParameters {
  readonly tokenParameters: TokenParameters;
  readonly grant: SecretValue | undefined;
  /** Undefined: the query has none, so the request's header or a new id applies. */
  readonly correlationId: string | undefined;
}

function readGet(request: IncomingRequest, route: HeaderRoute): Result<HeaderParameters, Failure> {
  const names = [...queryOf(request).keys()];
  const query = readQuery(queryOf(request));
  if (!query.ok) return fail(inOriginalSpelling(query.failure, names));
  const option = (name: string) => singleValue(query.value, `optionsoverride.${name}`);
  const refused = names.find(
    (name) => REFUSED_OVERRIDES.includes(name.toLowerCase()) && query.value.has(name.toLowerCase()),
  );
  if (refused !== undefined) return invalidRequest("parameter_not_supported", refused);
  if (option("requestapptoken")?.toLowerCase() === "true" && route === "user") {
    return invalidRequest("parameter_not_supported", "optionsOverride.RequestAppToken");
  }
  const tokenParameters = toTokenParameters(request, {
    scopes: query.value.get("optionsoverride.scopes"),
    claims: option("acquiretokenoptions.claims"),
    forceRefresh: option("acquiretokenoptions.forcerefresh")?.toLowerCase() === "true",
    minimumSeconds: undefined,
  });
  if (!tokenParameters.ok) return tokenParameters;
  const correlation = option("acquiretokenoptions.correlationid");
  // The sidecar's parameter counts if the request has no correlation header, and it must be a GUID as well.
  const correlationId = correlation === undefined ? undefined : readCorrelationId(request, correlation);
  return succeed({ tokenParameters: tokenParameters.value, grant: undefined, correlationId });
}

/** A message has the name of a parameter as the caller spelled it. */
function inOriginalSpelling(failure: Failure, names: readonly string[]): Failure {
  if (failure.kind !== "request_invalid") return failure;
  const sent = names.find((name) => name.toLowerCase() === failure.parameter);
  return sent === undefined ? failure : { ...failure, parameter: sent };
}

/** Parameters by name in lower case. */
function readQuery(query: URLSearchParams): Result<Parameters, Failure> {
  if (query.size === 0) return succeed(NO_PARAMETERS);
  const lowered = [...query].map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  return collectParameters(new URLSearchParams(lowered), ["optionsoverride.scopes"]);
}

async function readPost(request: IncomingRequest): Promise<Result<HeaderParameters, Failure>> {
  const body = await readJsonBody(request);
  if (!body.ok) return body;
  const unknown = Object.keys(body.value).find((name) => !POST_MEMBERS.includes(name));
  if (unknown !== undefined) return unknownParameter(safeName(unknown), POST_MEMBERS);
  const { scopes, grant, claims, minimumSeconds, forceRefresh = false } = body.value;
  if (grant !== undefined && (typeof grant !== "string" || grant === "")) {
    return invalidRequest("parameter_invalid", "grant");
  }
  if (typeof forceRefresh !== "boolean") return invalidRequest("parameter_invalid", "forceRefresh");
  const tokenParameters = toTokenParameters(request, { scopes, claims, forceRefresh, minimumSeconds });
  if (!tokenParameters.ok) return tokenParameters;
  return succeed({
    tokenParameters: tokenParameters.value,
    grant: grant === undefined ? undefined : new SecretValue(grant),
    correlationId: undefined,
  });
}

interface UncheckedParameters {
  readonly scopes: unknown;
  readonly claims: unknown;
  readonly forceRefresh: boolean;
  readonly minimumSeconds: unknown;
}

function toTokenParameters(request: IncomingRequest, unchecked: UncheckedParameters): Result<TokenParameters, Failure> {
  const scopes = readScopeList(unchecked.scopes, "scopes");
  if (!scopes.ok) return scopes;
  const claims = readClaims(unchecked.claims, "claims");
  if (!claims.ok) return claims;
  const minimumSeconds = unchecked.minimumSeconds ?? 0;
  if (typeof minimumSeconds !== "number" || !isWithin(minimumSeconds, MINIMUM_SECONDS_MAX)) {
    return invalidRequest("parameter_invalid", "minimumSeconds");
  }
  return succeed({
    audiences: [request.params["api"] ?? ""],
    resources: [],
    ...scopes.value,
    claims: claims.value,
    forceRefresh: unchecked.forceRefresh,
    minimumSeconds,
  });
}

function isWithin(value: number, maximum: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= maximum;
}

function grantRequestFor(route: HeaderRoute, grant: SecretValue | undefined): GrantRequest {
  if (route === "application") return { flow: "client-credentials" };
  return grant === undefined
    ? { flow: "on-behalf-of", subject: undefined, presentedAs: "assertion" }
    : { flow: "refresh-token", refreshToken: grant };
}
