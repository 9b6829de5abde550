/**
 * An API's response as the caller gets it: status, headers and body as they are, except for links, which lead through the
 * relay again. A redirect to another host is not passed on: Graph's `/content` redirects to an address that works without a
 * token, so passing it on would hand out a credential, and following it would call a host that no policy names.
 *
 * Source: https://learn.microsoft.com/graph/api/driveitem-get-content
 */
import { parseTarget } from "../core/downstream-target.ts";
import type { Failure } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { OutgoingResponse } from "../http/outgoing-response.ts";
import type { BytesResponse } from "../outbound/outbound.ts";
import { allowedCall } from "../policy/downstream-rules.ts";
import type { AllowedDownstream, Api } from "../policy/entitlement.ts";
import { relativeTo } from "./base-url.ts";
import { checkInnerResponses, isBatch } from "./batch.ts";
import { addedHeaders, passedHeaders } from "./response-headers.ts";
import { type LinkContext, relayLink, rewritePagingLinks } from "./rewrite-links.ts";

export interface ResponseContext extends LinkContext {
  readonly api: Api;
  readonly downstream: AllowedDownstream;
  readonly correlationId: string;
}

export function toRelayResponse(
  context: ResponseContext,
  { status, headers, body }: BytesResponse,
): Result<OutgoingResponse, Failure> {
  const location = allowedLocation(context, headers["location"]);
  if (isRedirect(status) && location === undefined) return fail(REDIRECT);
  const relayed = toRelayBody(context, headers["content-type"], body);
  if (relayed === undefined) return fail(REDIRECT);
  const passed = passedHeaders(headers);
  return succeed({
    status,
    headers: {
      ...passed,
      ...(location === undefined ? {} : { location }),
      ...addedHeaders(context.correlationId),
    },
    ...(BODILESS.includes(status) ? {} : { body: relayed }),
  });
}

// ---------------------------------------------------------------------------------------------------------------

const REDIRECT: Failure = { kind: "dependency_failed", dependency: "downstream", problem: "redirect" };
/** RFC 9110: these have no body, and the Fetch API, which Functions uses, refuses one. */
const BODILESS = [204, 205, 304];

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400 && status !== 304;
}

/** A `Location` of the same API that a rule allows to read, through the relay. Relative ones are of the API's own host. */
function allowedLocation(context: ResponseContext, location: string | undefined): string | undefined {
  const { baseUrl, api, downstream } = context;
  const absolute = location?.startsWith("/") === true ? new URL(location, baseUrl).href : location;
  const relative = absolute === undefined ? undefined : relativeTo(baseUrl, absolute);
  const target = relative === undefined ? undefined : parseTarget(relative);
  if (absolute === undefined || target?.ok !== true) return undefined;
  const allowed = allowedCall(api.resource, downstream.rules, { method: "GET", target: target.value });
  return allowed === undefined ? undefined : relayLink(context, absolute);
}

function innerHeaders(context: ResponseContext, headers: Readonly<Record<string, string>>) {
  const [, sent] = Object.entries(headers).find(([name]) => name.toLowerCase() === "location") ?? [];
  const location = allowedLocation(context, sent);
  return { ...passedHeaders(headers), ...(location === undefined ? {} : { Location: location }) };
}

/** Undefined: the response of a batch that the service cannot check for redirects. */
function toRelayBody(context: ResponseContext, contentType: string | undefined, body: Buffer): Buffer | undefined {
  if (!/^application\/([\w.-]+\+)?json\b/i.test(contentType ?? "")) return body;
  const passed = isBatch(context.downstream)
    ? checkInnerResponses(body, (headers) => innerHeaders(context, headers))
    : body;
  return passed === undefined ? undefined : rewritePagingLinks(context, passed);
}
