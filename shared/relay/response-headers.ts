/**
 * The headers of an API's response that the caller gets. All others stay here: those of one connection, those that a
 * browser would apply to this service's own origin (`Set-Cookie`, `Access-Control-…`), those that Azure's front end and
 * the Functions host give a meaning, links that the relay does not know, and what the API says to caches.
 *
 * Source: https://learn.microsoft.com/graph/use-the-api, https://learn.microsoft.com/graph/throttling, OData 4.01 Protocol
 * section 8.3, RFC 9110 section 8
 */
import { namesIn } from "../http/forwarded-headers.ts";

const PASSED: readonly string[] = [
  "accept-ranges",
  "allow",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-md5",
  "content-range",
  "content-type",
  "etag",
  "last-modified",
  "retry-after",
  "warning",
  "www-authenticate",
  // OData and Graph.
  "deprecation",
  "odata-version",
  "preference-applied",
  "request-id",
  "sunset",
  "x-ms-ags-diagnostic",
  "x-ms-correlation-request-id",
  "x-ms-request-id",
  "x-ms-resource-unit",
];
const PASSED_FAMILY = /^(ratelimit|x-ratelimit|x-ms-throttle)(-[a-z-]+)?$/;

/** `Location` is left out, because the caller of this function decides about it. */
export function passedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const ofConnection = namesIn(headers["connection"]);
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => {
      const lower = name.toLowerCase();
      return (PASSED.includes(lower) || PASSED_FAMILY.test(lower)) && !ofConnection.includes(lower);
    }),
  );
}

/** The headers that the service adds to every response of an API. */
export function addedHeaders(correlationId: string): Record<string, string> {
  return {
    // No cache on the way may store what one caller may read. Two people behind one application differ in X-Grant only.
    "cache-control": "private, no-store",
    vary: "Authorization, X-Grant",
    "x-content-type-options": "nosniff",
    // The body is the API's, for example a file: a browser must not run it as a page of this service.
    "content-security-policy": "default-src 'none'; sandbox",
    "client-request-id": correlationId,
    // RFC 9110 section 7.6.3. Only responses of an API have it, so it tells them from the service's own.
    via: "1.1 graph-token-exchange",
  };
}
