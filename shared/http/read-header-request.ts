/**
 * `GET|POST /AuthorizationHeader/{api}` and `/AuthorizationHeaderUnauthenticated/{api}` → an exchange request. GET
 * accepts the query parameters of Microsoft's sidecar. A parameter that would change the identity of the token (another
 * tenant, an agent, a bound key) is refused, because ignoring it would return a token other than the requested one.
 * POST accepts a small JSON object.
 */
import type { ExchangeRequest, GrantRequest, TokenParameters } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest } from "./invalid-request.ts";
import { queryOf } from "./query-of.ts";
import { collectParameters, type Parameters, readJsonBody, safeName, singleValue } from "./read-body.ts";
import { readBearer } from "./read-client-authentication.ts";
import { readHandle, readVerifier } from "./read-handle.ts";
import { readClaims, readCorrelationId, readScopeList } from "./read-token-parameters.ts";
import { refuseBodyNames, refuseUnknownMember } from "./similar-names.ts";

/** A day. A caller cannot reasonably require more. */
const MINIMUM_SECONDS_MAX = 86_400;
const NO_PARAMETERS: Parameters = new Map();
export const HEADER_MEMBERS = ["scopes", "grant", "codeVerifier", "claims", "minimumSeconds", "forceRefresh"];

/** The sidecar's parameters for members of the JSON. */
const IN_QUERY = {
  scopes: "optionsOverride.Scopes",
  claims: "optionsOverride.AcquireTokenOptions.Claims",
  forceRefresh: "optionsOverride.AcquireTokenOptions.ForceRefresh",
};

/**
 * Parameters of the sidecar that would change the identity of the token. Other names that begin with `optionsOverride.`
 * are ignored, as the sidecar ignores unknown ones.
 */
const REFUSED_OVERRIDES = [
  "agentidentity",
  "agentusername",
  "agentuserid",
  "optionsoverride.acquiretokenoptions.fmipath",
  "optionsoverride.acquiretokenoptions.poppublickey",
  "optionsoverride.acquiretokenoptions.longrunningwebapisessionkey",
  "optionsoverride.acquiretokenoptions.managedidentity.userassignedclientid",
];

/** Whose token the route returns: a user's, or the application's own. */
export type HeaderRoute = "user" | "application";

export interface HeaderRequestContext {
  readonly route: HeaderRoute;
  /** The tenant of this deployment: the only one that a request may name. */
  readonly tenantId: string;
  /** Default: from the request's headers, or a new one. */
  readonly correlationId?: string;
}

export async function readHeaderRequest(
  request: IncomingRequest,
  context: HeaderRequestContext,
): Promise<Result<ExchangeRequest, Failure>> {
  const { route, correlationId: ownCorrelationId = readCorrelationId(request) } = context;
  const clientAuthentication = readBearer(request);
  if (!clientAuthentication.ok) return clientAuthentication;
  const query = refuseBodyNames(request, HEADER_MEMBERS, IN_QUERY);
  if (!query.ok) return query;
  const parameters = request.method === "POST" ? await readPost(request, context) : readOverrides(request, context);
  if (!parameters.ok) return parameters;
  const { tokenParameters, grant, codeVerifier, application, correlationId = ownCorrelationId } = parameters.value;
  if (grant !== undefined && route === "application") return invalidRequest("parameter_not_supported", "grant");
  return succeed({
    clientAuthentication: clientAuthentication.value,
    claimedClientId: undefined,
    grantRequest:
      application || route === "application" ? { flow: "client-credentials" } : userRequest(grant, codeVerifier),
    tokenParameters,
    correlationId,
  });
}

// ------------------------------------------------------------------------------------------------------------------

export interface HeaderParameters {
  readonly tokenParameters: TokenParameters;
  readonly grant: SecretValue | undefined;
  /** For a grant that is bound to a session of the application. */
  readonly codeVerifier?: SecretValue | undefined;
  /** The caller requests its own token, with a parameter of the sidecar. */
  readonly application: boolean;
  /** Undefined: the query has none, so the request's header or a new id applies. */
  readonly correlationId: string | undefined;
}

/** The parameters of the sidecar in a query. Names in any case. */
export function readOverrides(
  request: IncomingRequest,
  { tenantId }: HeaderRequestContext,
): Result<HeaderParameters, Failure> {
  const names = queryOf(request);
  const query = collectOverrides(names);
  if (!query.ok) return query;
  const asSent = (lower: string) => safeName([...names.keys()].find((name) => name.toLowerCase() === lower) ?? lower);
  const option = (name: string) => singleValue(query.value, `optionsoverride.${name}`);
  const refused = REFUSED_OVERRIDES.find((name) => query.value.has(name));
  if (refused !== undefined) return invalidRequest("parameter_not_supported", asSent(refused));
  if ((option("acquiretokenoptions.tenant") ?? tenantId).trim().toLowerCase() !== tenantId) {
    return invalidRequest("parameter_not_supported", asSent("optionsoverride.acquiretokenoptions.tenant"));
  }
  const tokenParameters = toTokenParameters(request, {
    scopes: query.value.get("optionsoverride.scopes"),
    claims: option("acquiretokenoptions.claims"),
    forceRefresh: option("acquiretokenoptions.forcerefresh")?.toLowerCase() === "true",
    minimumSeconds: undefined,
    names: {
      scopes: asSent("optionsoverride.scopes"),
      claims: asSent("optionsoverride.acquiretokenoptions.claims"),
    },
  });
  if (!tokenParameters.ok) return tokenParameters;
  if (tokenParameters.value.offlineAccess && request.method !== "POST") {
    // A grant is something new on the server, and a GET may be repeated, prefetched or logged with its query.
    return invalidRequest("parameter_invalid", asSent("optionsoverride.scopes"), NO_GRANT_BY_GET);
  }
  const correlation = option("acquiretokenoptions.correlationid");
  return succeed({
    tokenParameters: tokenParameters.value,
    grant: undefined,
    application: option("requestapptoken")?.toLowerCase() === "true",
    // The sidecar's parameter counts if the request has no correlation header, and it must be a GUID as well.
    correlationId: correlation === undefined ? undefined : readCorrelationId(request, correlation),
  });
}

const NO_GRANT_BY_GET = { supported: ["scopes without offline_access", "offline_access with POST"] };

/** Parameters by name in lower case. */
function collectOverrides(query: URLSearchParams): Result<Parameters, Failure> {
  if (query.size === 0) return succeed(NO_PARAMETERS);
  return collectParameters(query, ["optionsoverride.scopes"], (name) => name.toLowerCase());
}

/** Without a JSON object, a POST is read like a GET: some clients can only send POST to a token endpoint. */
async function readPost(
  request: IncomingRequest,
  context: HeaderRequestContext,
): Promise<Result<HeaderParameters, Failure>> {
  const body = await readJsonBody(request);
  if (!body.ok) return body;
  if (Object.keys(body.value).length === 0) return readOverrides(request, context);
  const override = [...queryOf(request).keys()].find((name) => /^(optionsoverride\.|agent)/i.test(name));
  if (override !== undefined) return notWithBody(override);
  const unknown = refuseUnknownMember(body.value, HEADER_MEMBERS);
  if (unknown !== undefined) return unknown;
  const { scopes, grant, claims, minimumSeconds, forceRefresh = false } = body.value;
  const handle = grant === undefined ? succeed(undefined) : readHandle(grant, "grant");
  if (!handle.ok) return handle;
  const codeVerifier = readVerifier(body.value["codeVerifier"], "codeVerifier");
  if (!codeVerifier.ok) return codeVerifier;
  if (typeof forceRefresh !== "boolean") return invalidRequest("parameter_invalid", "forceRefresh");
  const tokenParameters = toTokenParameters(request, {
    scopes,
    claims,
    forceRefresh,
    minimumSeconds,
    names: { scopes: "scopes", claims: "claims" },
  });
  if (!tokenParameters.ok) return tokenParameters;
  return succeed({
    tokenParameters: tokenParameters.value,
    grant: handle.value,
    codeVerifier: codeVerifier.value,
    application: false,
    correlationId: undefined,
  });
}

/** A parameter of the sidecar next to a JSON object: neither may silently win. */
function notWithBody(override: string) {
  const inBody = Object.entries(IN_QUERY).find(([, name]) => name.toLowerCase() === override.toLowerCase());
  return invalidRequest(
    "parameter_not_supported",
    safeName(override),
    inBody === undefined ? undefined : { meant: inBody[0] },
  );
}

interface UncheckedParameters {
  readonly scopes: unknown;
  readonly claims: unknown;
  readonly forceRefresh: boolean;
  readonly minimumSeconds: unknown;
  /** As the sender wrote them. */
  readonly names: { readonly scopes: string; readonly claims: string };
}

function toTokenParameters(request: IncomingRequest, unchecked: UncheckedParameters): Result<TokenParameters, Failure> {
  const scopes = readScopeList(unchecked.scopes, unchecked.names.scopes);
  if (!scopes.ok) return scopes;
  const claims = readClaims(unchecked.claims, unchecked.names.claims);
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

function userRequest(grant: SecretValue | undefined, codeVerifier: SecretValue | undefined): GrantRequest {
  return grant === undefined
    ? { flow: "on-behalf-of", subject: undefined, presentedAs: "assertion" }
    : { flow: "refresh-token", presented: "handle", refreshToken: grant, codeVerifier };
}
