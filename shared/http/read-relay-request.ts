/**
 * `/DownstreamApi/{api}/{*path}` and `POST /DownstreamApi/{api}` → a request of the relay. In the first form, method, path
 * and query are those of the request to the API. The second form is the sidecar's: they are in the query. The host decodes
 * the path and removes dot segments, so the URL and the route parameter must agree before the service relies on either.
 */
import {
  type DownstreamCall,
  type DownstreamTarget,
  parseTarget,
  RELAY_METHODS,
  type TargetProblem,
} from "../core/downstream-target.ts";
import type { ExchangeRequest, GrantRequest, TokenParameters } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { RELAY_BODY_MAX_BYTES } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { forwardedHeaders } from "./forwarded-headers.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest } from "./invalid-request.ts";
import { queryOf } from "./query-of.ts";
import { announcesBody, collectParameters, safeName, singleValue } from "./read-body.ts";
import { readBearer } from "./read-client-authentication.ts";
import { readHandle, readVerifier } from "./read-handle.ts";
import { type HeaderParameters, type HeaderRequestContext, readOverrides } from "./read-header-request.ts";
import { readCorrelationId } from "./read-token-parameters.ts";

const GRANT_HEADER = "X-Grant";
const VERIFIER_HEADER = "X-Grant-Verifier";

export interface RelayRequest {
  /** With `relay`: the request to the API. */
  readonly exchange: ExchangeRequest & { readonly relay: DownstreamCall };
  /** To forward, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

export interface RelayRequestContext extends HeaderRequestContext {
  readonly form: "path" | "sidecar";
}

export async function readRelayRequest(
  request: IncomingRequest,
  context: RelayRequestContext,
): Promise<Result<RelayRequest, Failure>> {
  const clientAuthentication = readBearer(request);
  if (!clientAuthentication.ok) return clientAuthentication;
  const call = context.form === "path" ? readPathForm(request) : readSidecarForm(request, context);
  if (!call.ok) return call;
  const { relay, tokenParameters, application, accept, correlationId } = call.value;
  const grantRequest = readGrantRequest(request, application || context.route === "application");
  if (!grantRequest.ok) return grantRequest;
  const headers = forwardedHeaders(request.headers);
  if (!headers.ok) return invalidRequest("parameter_invalid", headers.failure);
  const body = await readBytes(request, relay);
  if (!body.ok) return body;
  return succeed({
    exchange: {
      clientAuthentication: clientAuthentication.value,
      claimedClientId: undefined,
      grantRequest: grantRequest.value,
      tokenParameters,
      relay,
      correlationId: correlationId ?? context.correlationId ?? readCorrelationId(request),
    },
    headers: { ...headers.value, ...(accept === undefined ? {} : { accept }) },
    body: body.value,
  });
}

// ------------------------------------------------------------------------------------------------------------------

interface RelayCall extends Pick<HeaderParameters, "tokenParameters" | "application" | "correlationId"> {
  readonly relay: DownstreamCall;
  /** `optionsOverride.AcceptHeader`. */
  readonly accept: string | undefined;
}

/** `/DownstreamApi/graph/v1.0/me?$select=id` */
const ROUTE = /^\/[^/]+\/[^/]+\/(.*)$/;

/** Parameters of the sidecar's form. In this form they would go to the API, which ignores them. */
const OTHER_FORM = /^(optionsoverride\.|agent(identity|username|userid)$)/i;

function readPathForm(request: IncomingRequest): Result<RelayCall, Failure> {
  const misplaced = [...queryOf(request).keys()].find((name) => OTHER_FORM.test(name));
  if (misplaced !== undefined) return invalidRequest("parameter_not_supported", safeName(misplaced));
  const { pathname, search } = new URL(request.url);
  const target = parseTarget(`/${ROUTE.exec(pathname)?.[1] ?? ""}${search}`);
  if (!target.ok) return refusedTarget(target.failure, "path");
  // URL parsers remove encoded dot segments as well; the host's parameter still has them.
  if (!isSamePath(request.params["path"], target.value)) return refusedTarget("other_spelling", "path");
  const relay = toCall(request.method, target.value);
  if (relay === undefined) return fail({ kind: "method_not_allowed", allow: RELAY_METHODS });
  return succeed({
    relay,
    tokenParameters: defaultParameters(request),
    application: false,
    accept: undefined,
    correlationId: undefined,
  });
}

/** `decoded` is the path as the host decoded it, once. */
function isSamePath(decoded: string | undefined, { segments }: DownstreamTarget): boolean {
  return decoded === segments.join("/");
}

/** The sidecar's parameters that would change the request. Ignoring one would send another request than its sender means. */
const REFUSED = /^optionsoverride\.(baseurl$|extraheaderparameters\.|extraqueryparameters\.)/i;
const PREFIX = "optionsoverride.";

function readSidecarForm(request: IncomingRequest, context: RelayRequestContext): Result<RelayCall, Failure> {
  const refused = [...queryOf(request).keys()].find((name) => REFUSED.test(name));
  if (refused !== undefined) return invalidRequest("parameter_not_supported", safeName(refused));
  const overrides = readOverrides(request, context);
  if (!overrides.ok) return overrides;
  if (overrides.value.tokenParameters.offlineAccess) {
    return invalidRequest("parameter_not_supported", "optionsOverride.Scopes");
  }
  const query = collectParameters(queryOf(request), [`${PREFIX}scopes`], (name) => name.toLowerCase());
  if (!query.ok) return query;
  const path = singleValue(query.value, `${PREFIX}relativepath`);
  if (path === undefined) return invalidRequest("parameter_missing", "optionsOverride.RelativePath");
  const target = parseTarget(path);
  if (!target.ok) return refusedTarget(target.failure, "optionsOverride.RelativePath");
  // The sidecar's default is GET, and .NET names methods in any case.
  const relay = toCall(singleValue(query.value, `${PREFIX}httpmethod`)?.toUpperCase() ?? "GET", target.value);
  if (relay === undefined) return invalidRequest("parameter_invalid", "optionsOverride.HttpMethod");
  const accept = singleValue(query.value, `${PREFIX}acceptheader`);
  if (accept !== undefined && !/^[\x20-\x7e]{1,512}$/.test(accept)) {
    return invalidRequest("parameter_invalid", "optionsOverride.AcceptHeader");
  }
  return succeed({ ...overrides.value, relay, accept });
}

function toCall(method: string, target: DownstreamTarget): DownstreamCall | undefined {
  const known = RELAY_METHODS.find((name) => name === method);
  return known === undefined ? undefined : { method: known, target };
}

function refusedTarget(target: TargetProblem, parameter: string) {
  return invalidRequest("path_invalid", parameter, { target });
}

/** Without scopes the exchange uses the entry's list. */
function defaultParameters(request: IncomingRequest): TokenParameters {
  return {
    audiences: [request.params["api"] ?? ""],
    resources: [],
    scopes: undefined,
    offlineAccess: false,
    claims: undefined,
    forceRefresh: false,
    minimumSeconds: 0,
  };
}

function readGrantRequest(request: IncomingRequest, application: boolean): Result<GrantRequest, Failure> {
  const sent = request.headers.get(GRANT_HEADER);
  if (sent !== null && application) return invalidRequest("parameter_not_supported", GRANT_HEADER);
  if (application) return succeed({ flow: "client-credentials" });
  if (sent === null) return succeed({ flow: "on-behalf-of", subject: undefined, presentedAs: "assertion" });
  const handle = readHandle(sent, GRANT_HEADER);
  if (!handle.ok) return handle;
  const verifier = readVerifier(request.headers.get(VERIFIER_HEADER) ?? undefined, VERIFIER_HEADER);
  if (!verifier.ok) return verifier;
  return succeed({
    flow: "refresh-token",
    presented: "handle",
    refreshToken: handle.value,
    codeVerifier: verifier.value,
  });
}

/** The body as it is. Functions drops the body of GET and HEAD, and servers read one of those in different ways. */
async function readBytes(
  request: IncomingRequest,
  { method }: DownstreamCall,
): Promise<Result<Uint8Array | undefined, Failure>> {
  const tooLarge: Failure = { kind: "request_too_large", limitBytes: RELAY_BODY_MAX_BYTES };
  if (Number(request.headers.get("content-length") ?? 0) > RELAY_BODY_MAX_BYTES) return fail(tooLarge);
  // The API would read compressed bytes as they are, because their encoding is not forwarded.
  if ((request.headers.get("content-encoding") ?? "identity").toLowerCase() !== "identity") {
    return invalidRequest("parameter_not_supported", "Content-Encoding");
  }
  const bytes = isBodiless(request.method) ? new Uint8Array() : new Uint8Array(await request.arrayBuffer());
  if (bytes.byteLength > RELAY_BODY_MAX_BYTES) return fail(tooLarge);
  if (bytes.byteLength === 0 && !announcesBody(request)) return succeed(undefined);
  if (isBodiless(method)) return invalidRequest("parameter_not_supported", "body");
  return bytes.byteLength === 0 ? invalidRequest("body_missing") : succeed(bytes);
}

function isBodiless(method: string): boolean {
  return method === "GET" || method === "HEAD";
}
