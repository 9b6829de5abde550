/**
 * `GET|POST /AuthorizationHeader/{api}` and its application twin → an exchange request. GET understands what Microsoft's
 * sidecar clients send in the query; what would ask for another token than the caller is entitled to by itself (another
 * tenant, an agent's identity, a bound key) is refused instead of ignored. POST takes a small JSON object.
 */
import type { ExchangeRequest, GrantRequest, TokenParameters } from "../core/exchange-request.ts";
import type { Failure, RequestProblem } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { queryOf } from "./query-of.ts";
import { collect, type Parameters, readJsonObject, safeName } from "./read-body.ts";
import { readBearer } from "./read-client-authentication.ts";
import { readClaims, readCorrelationId, readScopeList, readScopes } from "./read-token-parameters.ts";

/** A day: no token lives longer. */
const MINIMUM_SECONDS_MAX = 86_400;

/** Which token the route gives: the user's, or the application's own. */
export type HeaderRoute = "user" | "application";

interface HeaderWish {
  readonly tokenParameters: TokenParameters;
  readonly grant: SecretValue | undefined;
  /** Undefined: nothing in the query, so the header or a new one. */
  readonly correlationId: string | undefined;
}

export async function readHeaderRequest(
  request: IncomingRequest,
  route: HeaderRoute,
  ownCorrelationId = readCorrelationId(request),
): Promise<Result<ExchangeRequest, Failure>> {
  const clientAuthentication = readBearer(request);
  if (!clientAuthentication.ok) return clientAuthentication;
  const asked = request.method === "POST" ? await readPost(request) : readGet(request, route);
  if (!asked.ok) return asked;
  const { tokenParameters, grant, correlationId = ownCorrelationId } = asked.value;
  if (grant !== undefined && route === "application") return problem("parameter_not_supported", "grant");
  return succeed({
    clientAuthentication: clientAuthentication.value,
    claimedClientId: undefined,
    grantRequest: grantRequestFor(route, grant),
    tokenParameters,
    correlationId,
  });
}

function grantRequestFor(route: HeaderRoute, grant: SecretValue | undefined): GrantRequest {
  if (route === "application") return { flow: "client-credentials" };
  return grant === undefined
    ? { flow: "on-behalf-of", subject: undefined, presentedAs: "assertion" }
    : { flow: "refresh-token", refreshToken: grant };
}

/** Sidecar keys (case-insensitive) that change nothing on these routes; others beginning `optionsOverride.` are unknown and ignored as the sidecar does. */
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

function readGet(request: IncomingRequest, route: HeaderRoute): Result<HeaderWish, Failure> {
  const query = readQuery(queryOf(request));
  if (!query.ok) return query;
  const one = (name: string) => query.value.get(name)?.[0];
  const refused = REFUSED_OVERRIDES.find((name) => query.value.has(name));
  if (refused !== undefined) return problem("parameter_not_supported", refused);
  if (one("optionsoverride.requestapptoken")?.toLowerCase() === "true" && route === "user") {
    return problem("parameter_not_supported", "optionsOverride.RequestAppToken");
  }
  const tokenParameters = readWish(request, {
    scopes: query.value.get("optionsoverride.scopes"),
    claims: one("optionsoverride.acquiretokenoptions.claims"),
    forceRefresh: one("optionsoverride.acquiretokenoptions.forcerefresh")?.toLowerCase() === "true",
    minimumSeconds: undefined,
  });
  const correlation = one("optionsoverride.acquiretokenoptions.correlationid");
  // The sidecar's own parameter is as good as a header, under the same rule.
  const correlationId = correlation === undefined ? undefined : readCorrelationId(request, correlation);
  return tokenParameters.ok
    ? succeed({ tokenParameters: tokenParameters.value, grant: undefined, correlationId })
    : tokenParameters;
}

const NO_PARAMETERS: Parameters = new Map();

/** Names in lower case; most requests have no query. */
function readQuery(query: URLSearchParams): Result<Parameters, Failure> {
  if (query.size === 0) return succeed(NO_PARAMETERS);
  const lowered = [...query].map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  return collect(new URLSearchParams(lowered), ["optionsoverride.scopes"]);
}

const POST_MEMBERS = ["scopes", "grant", "claims", "minimumSeconds", "forceRefresh"];

async function readPost(request: IncomingRequest): Promise<Result<HeaderWish, Failure>> {
  const body = await readJsonObject(request);
  if (!body.ok) return body;
  const unknown = Object.keys(body.value).find((name) => !POST_MEMBERS.includes(name));
  if (unknown !== undefined) return problem("parameter_not_supported", safeName(unknown));
  const { scopes, grant, claims, minimumSeconds, forceRefresh } = body.value;
  if (grant !== undefined && (typeof grant !== "string" || grant === "")) return problem("parameter_invalid", "grant");
  if (forceRefresh !== undefined && typeof forceRefresh !== "boolean") {
    return problem("parameter_invalid", "forceRefresh");
  }
  const tokenParameters = readWish(request, { scopes, claims, forceRefresh: forceRefresh ?? false, minimumSeconds });
  return tokenParameters.ok
    ? succeed({
        tokenParameters: tokenParameters.value,
        grant: grant === undefined ? undefined : new SecretValue(grant),
        correlationId: undefined,
      })
    : tokenParameters;
}

interface RawWish {
  readonly scopes: unknown;
  readonly claims: unknown;
  readonly forceRefresh: boolean;
  readonly minimumSeconds: unknown;
}

function readWish(request: IncomingRequest, raw: RawWish): Result<TokenParameters, Failure> {
  const listed = readScopeList(raw.scopes, "scopes");
  const scopes = listed.ok ? readScopes(listed.value, "scopes") : listed;
  if (!scopes.ok) return scopes;
  const claims = readClaims(raw.claims, "claims");
  if (!claims.ok) return claims;
  const minimumSeconds = raw.minimumSeconds ?? 0;
  if (typeof minimumSeconds !== "number" || !isWithin(minimumSeconds, MINIMUM_SECONDS_MAX)) {
    return problem("parameter_invalid", "minimumSeconds");
  }
  return succeed({
    audiences: [request.params["api"] ?? ""],
    resources: [],
    ...scopes.value,
    claims: claims.value,
    forceRefresh: raw.forceRefresh,
    minimumSeconds,
  });
}

function isWithin(value: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= most;
}

function problem(kind: RequestProblem, parameter: string) {
  return fail({ kind: "request_invalid", problem: kind, parameter } as const);
}
