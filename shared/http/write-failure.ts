/** Writes a failure in the dialect of its route: RFC 6749 JSON or RFC 9457 problem details, with the same members. */
import type { Failure } from "../core/failure.ts";
import { failureToWire } from "./failure-to-wire.ts";
import type { TextResponse } from "./outgoing-response.ts";
import type { ServiceNames, Wire, WireOptions } from "./wire.ts";

/** The names of the service in responses. They come from configuration, never from the `Host` header. */
export interface Identity extends ServiceNames {
  readonly authorityHost: string;
  readonly serviceUrl: string;
  /** Where the administrator publishes docs/troubleshooting.md. Undefined: responses name the file. */
  readonly documentationUrl: string | undefined;
}

export interface WrittenFailure {
  readonly response: TextResponse;
  readonly wire: Wire;
}

/** Larger claims are in the body only, because proxies limit the size of headers. */
const CHALLENGE_CLAIMS_MAX_BYTES = 2_048;

export function writeFailure(
  failure: Failure,
  options: WireOptions,
  identity: Identity,
  correlationId: string,
): WrittenFailure {
  const wire = failureToWire(failure, { ...options, service: identity });
  const headers: Record<string, string> = {
    "Cache-Control": "no-store",
    "Content-Type":
      options.dialect === "oauth" ? "application/json; charset=utf-8" : "application/problem+json; charset=utf-8",
    "client-request-id": correlationId,
    ...(wire.retryAfterSeconds === undefined ? {} : { "Retry-After": String(wire.retryAfterSeconds) }),
    ...rateLimitFields(wire),
    ...(wire.allow === undefined ? {} : { Allow: wire.allow.join(", ") }),
    ...(wire.challenge === undefined ? {} : { "WWW-Authenticate": bearerChallenge(wire, identity) }),
    ...(wire.basicChallenge === undefined ? {} : { "WWW-Authenticate": basicChallenge(identity) }),
  };
  const body = options.dialect === "oauth" ? oauthBody(wire) : problemBody(wire);
  return {
    wire,
    response: {
      status: wire.status,
      headers,
      body: JSON.stringify({ ...body, ...sharedMembers(wire, identity), correlation_id: correlationId }),
    },
  };
}

// ------------------------------------------------------------------------------------------------------------------

/**
 * The quota that is used up, as Structured Fields. `qu` is the unit if it is not requests.
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (version 10, sections 3 and 4)
 */
function rateLimitFields({ usedUp, retryAfterSeconds }: Wire): Record<string, string> {
  if (usedUp === undefined) return {};
  const { name, limit, windowSeconds } = usedUp;
  const unit = windowSeconds === undefined ? ';qu="concurrent-requests"' : `;w=${windowSeconds}`;
  const reset = retryAfterSeconds === undefined ? "" : `;t=${retryAfterSeconds}`;
  return { "RateLimit-Policy": `"${name}";q=${limit}${unit}`, RateLimit: `"${name}";r=0${reset}` };
}

function oauthBody(wire: Wire): Record<string, unknown> {
  return { error: wire.error, error_description: wire.description };
}

function problemBody(wire: Wire): Record<string, unknown> {
  return {
    type: "about:blank",
    title: TITLES[wire.status] ?? "Error",
    status: wire.status,
    detail: wire.description,
    error: wire.error,
  };
}

/** RFC 9457 section 4.2.1: with `about:blank`, the title is the status phrase. */
const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

function sharedMembers(
  wire: Wire,
  { documentationUrl = "docs/troubleshooting.md" }: Identity,
): Record<string, unknown> {
  return {
    code: wire.code,
    action: wire.action,
    docs: `${documentationUrl}#${wire.code}`,
    ...(wire.errorCodes === undefined ? {} : { error_codes: wire.errorCodes }),
    ...(wire.suberror === undefined ? {} : { suberror: wire.suberror }),
    ...(wire.claims === undefined ? {} : { claims: wire.claims }),
    ...(wire.scopes === undefined ? {} : { scopes: wire.scopes }),
    ...(wire.signInUrl === undefined ? {} : { signin_url: wire.signInUrl }),
    ...(wire.traceId === undefined ? {} : { trace_id: wire.traceId }),
  };
}

/** RFC 7617 section 2. */
function basicChallenge({ tenantId }: Identity): string {
  return `Basic realm="${tenantId}", charset="UTF-8"`;
}

/** RFC 6750 section 3 and Entra's claims challenge: each attribute at most once, every value quoted. */
function bearerChallenge(wire: Wire, identity: Identity): string {
  const { tenantId, authorityHost, serviceUrl } = identity;
  const attributes: [string, string][] = [
    ["realm", tenantId],
    ["authorization_uri", `${authorityHost}/${tenantId}/oauth2/v2.0/authorize`],
    ["resource_metadata", `${serviceUrl}/.well-known/oauth-protected-resource`],
  ];
  if (wire.challenge?.error !== undefined) {
    attributes.push(["error", wire.challenge.error], ["error_description", wire.description]);
  }
  if (wire.challenge?.scope !== undefined) attributes.push(["scope", wire.challenge.scope]);
  const claims = wire.challenge?.claims;
  if (claims !== undefined && Buffer.byteLength(claims) <= CHALLENGE_CLAIMS_MAX_BYTES) {
    attributes.push(["claims", Buffer.from(claims, "utf8").toString("base64")]);
  }
  return `Bearer ${attributes.map(([name, value]) => `${name}="${value}"`).join(", ")}`;
}
