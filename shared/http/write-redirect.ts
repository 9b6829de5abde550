/**
 * Redirects: always 303, so that no browser sends a form to the target (RFC 9700 section 4.12), never cached, and
 * without the service's URL as a referrer.
 */

import type { Cookie } from "../core/cookie.ts";
import type { Failure } from "../core/failure.ts";
import type { RedirectTarget } from "../core/redirect-target.ts";
import { failureToWire } from "./failure-to-wire.ts";
import type { OutgoingResponse } from "./outgoing-response.ts";

export function redirect(location: string, cookies: readonly Cookie[]): OutgoingResponse {
  return {
    status: 303,
    headers: {
      Location: location,
      "Cache-Control": "no-store",
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
    },
    cookies,
  };
}

/** RFC 6749 section 4.1.2 with the issuer of RFC 9207. */
export function codeLocation(returnTo: RedirectTarget, code: string, issuer: string): string {
  return withQuery(returnTo, { code, iss: issuer });
}

/** RFC 6749 section 4.1.2.1 with the issuer of RFC 9207. */
export function errorLocation(returnTo: RedirectTarget, failure: Failure, issuer: string): string {
  const { description } = failureToWire(failure, { dialect: "page", understandsChallenge: false });
  return withQuery(returnTo, { error: authorizationError(failure), error_description: description, iss: issuer });
}

// ------------------------------------------------------------------------------------------------------------------

/** The error codes of RFC 6749 section 4.1.2.1 and OpenID Connect Core section 3.1.2.6. */
function authorizationError(failure: Failure): string {
  if (failure.kind === "throttled" || failure.kind === "dependency_failed") return "temporarily_unavailable";
  if (failure.kind === "sign_in_refused" && failure.reason === "declined") return "access_denied";
  if (failure.kind !== "entra_refused") return "server_error";
  switch (failure.verdict) {
    case "denied":
      return "access_denied";
    case "consent_required":
      return failure.verdict;
    case "interaction_required":
      return failure.openIdError ?? failure.verdict;
    default:
      return "server_error";
  }
}

/** Adds parameters to the registered URI and does not change the URI itself (RFC 6749 section 3.1.2). */
function withQuery({ redirectUri, state }: RedirectTarget, parameters: Record<string, string>): string {
  const query = new URLSearchParams({ ...parameters, ...(state === undefined ? {} : { state }) });
  return `${redirectUri}${redirectUri.includes("?") ? "&" : "?"}${query}`;
}
