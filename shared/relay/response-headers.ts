/**
 * The headers of an API's response that the caller gets: all except those that belong to one connection, to the API's own
 * host in a browser, or to this service.
 *
 * Source: RFC 9110 sections 7.6.1 and 7.6.3, RFC 6265 section 4.1, RFC 6797 section 8.1
 */
import { namesIn } from "../http/forwarded-headers.ts";

/** Of one connection, or counted anew by this host. */
const OF_CONNECTION = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
  "date",
  "server",
  "via",
];
/** What a browser would store for this service's own origin, or open it to other origins. */
const OF_ORIGIN =
  /^(set-cookie2?|strict-transport-security|public-key-pins.*|expect-ct|alt-svc|clear-site-data|access-control.*|cross-origin.*|service-worker.*|nel|report-to|reporting-endpoints|refresh|link|content-security-policy.*|x-frame-options|x-content-type-options|x-powered-by)$/;
/** Headers that Azure's front end and the Functions host give a meaning. */
const RESERVED =
  /^(x-ms-(client-principal|token|original|site).*|x-(forwarded|original|functions).*|x-azure.*|x-arr.*)$/;

/** Names in lower case. `Location` is left out, because the caller of this function decides about it. */
export function passedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const dropped = new Set([...OF_CONNECTION, ...namesIn(headers["connection"]), "location", "client-request-id"]);
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !dropped.has(name) && !OF_ORIGIN.test(name) && !RESERVED.test(name)),
  );
}

/** The headers that the service adds to every response of an API. */
export function addedHeaders(correlationId: string): Record<string, string> {
  return {
    "x-content-type-options": "nosniff",
    // The body is the API's, for example a file: a browser must not run it as a page of this service.
    "content-security-policy": "default-src 'none'; sandbox",
    "client-request-id": correlationId,
    // RFC 9110 section 7.6.3. Only responses of an API have it, so it tells them from the service's own.
    via: "1.1 graph-token-exchange",
  };
}
