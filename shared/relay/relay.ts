/**
 * The relay: a request to an API with a token that never leaves the service. Every stage in order, one early return each:
 *
 *   exchange       who calls, and a token; policy decides about method, path and query   exchange/
 *   check a batch  each inner request against the same rules                            policy/
 *   send           to the API's own host, no redirect followed                          outbound/
 *   renew          once: a claims challenge, or a cached token that the API refuses     exchange/
 *   respond        the API's response as it is, links through the relay
 */
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { EntraEvidence, Failure } from "../core/failure.ts";
import { isGuid } from "../core/guid.ts";
import { RELAY_BODY_MAX_BYTES, RELAY_CALL_DEADLINE_MS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { type Exchange, type ExchangeContext, exchangeToken } from "../exchange/exchange-token.ts";
import type { OutgoingResponse } from "../http/outgoing-response.ts";
import type { RelayRequest } from "../http/read-relay-request.ts";
import type { BytesOutbound, BytesResponse, OutboundFailure, ShareUsedUp } from "../outbound/outbound.ts";
import type { AllowedDownstream, Entitlement } from "../policy/entitlement.ts";
import { baseUrlOf, urlOf } from "./base-url.ts";
import { checkBatch, isBatch } from "./batch.ts";
import { challengedClaims } from "./claims-challenge.ts";
import { toRelayResponse } from "./relay-response.ts";

export interface RelayContext {
  readonly exchangeContext: ExchangeContext;
  readonly outbound: BytesOutbound;
  /** Graph's address, if it is not that of its resource (local tenant). */
  readonly graphUrl: string | undefined;
  /** The relay's address without the API: `https://service/DownstreamApi`. */
  readonly routeUrl: string;
}

/** Runs the path. Expected failures are values; only a bug throws. */
export async function relay(
  context: RelayContext,
  request: RelayRequest,
  audit: AuditTrail,
): Promise<Result<OutgoingResponse, Failure>> {
  audit.add({ relayMethod: request.exchange.relay.method });
  const exchange = await exchangeForRelay(context, request, audit);
  if (!exchange.ok) return exchange;

  const call = checkedCall(exchange.value.entitlement, request, audit);
  if (!call.ok) return call;

  const sent = await send(context, call.value, exchange.value, audit);
  if (!sent.ok) return sent;

  const renewed = await renew(context, call.value, { exchange: exchange.value, response: sent.value }, audit);
  if (!renewed.ok) return renewed;

  const { entitlement } = exchange.value;
  const baseUrl = baseUrlOf(entitlement.api, context.graphUrl);
  const { api, downstream } = entitlement;
  const relayUrl = `${context.routeUrl}/${api.name}`;
  const { correlationId } = request.exchange;
  return toRelayResponse({ baseUrl, relayUrl, api, downstream, correlationId }, renewed.value);
}

// ---------------------------------------------------------------------------------------------------------------

/** An exchange whose policy decision is about a request of the relay. */
type RelayExchange = Exchange & { readonly entitlement: RelayEntitlement };
type RelayEntitlement = Entitlement & { readonly downstream: AllowedDownstream };

async function exchangeForRelay(
  { exchangeContext }: RelayContext,
  { exchange }: Pick<RelayRequest, "exchange">,
  audit: AuditTrail,
): Promise<Result<RelayExchange, Failure>> {
  const exchanged = await exchangeToken(exchangeContext, exchange, audit);
  if (!exchanged.ok) return exchanged;
  const { entitlement } = exchanged.value;
  const { downstream } = entitlement;
  if (downstream === undefined) throw new TypeError("The decision is not about a request of the relay.");
  return succeed({ ...exchanged.value, entitlement: { ...entitlement, downstream } });
}

/** A batch has the media type that it is written in, whatever its caller wrote. */
function checkedCall(
  entitlement: RelayEntitlement,
  request: RelayRequest,
  audit: AuditTrail,
): Result<RelayRequest, Failure> {
  if (!isBatch(entitlement.downstream)) return succeed(request);
  const batch = checkBatch(entitlement, request.body, request.headers["content-type"]);
  if (!batch.ok) return batch;
  audit.add({ relayBatch: batch.value.count });
  const headers = { ...request.headers, "content-type": "application/json" };
  return succeed({ ...request, headers, body: batch.value.body });
}

async function send(
  { outbound, graphUrl }: RelayContext,
  { exchange: { relay: call, correlationId, signal }, headers, body }: RelayRequest,
  { token, entitlement }: RelayExchange,
  audit: AuditTrail,
): Promise<Result<BytesResponse, Failure>> {
  // The caller got 504: do not change anything at the API after that.
  if (signal?.aborted === true) return fail({ kind: "deadline_passed" });
  const { api, downstream } = entitlement;
  const sent = await outbound.sendBytes({
    method: call.method,
    url: urlOf(baseUrlOf(api, graphUrl), downstream.target),
    headers: {
      ...headers,
      authorization: `Bearer ${token.accessToken.reveal()}`,
      "client-request-id": correlationId,
      "user-agent": "graph-token-exchange",
    },
    ...(body === undefined ? {} : { body }),
    share: entitlement.entry,
    deadlineMs: RELAY_CALL_DEADLINE_MS,
    maxBytes: RELAY_BODY_MAX_BYTES,
  });
  audit.add({ relayBytesSent: body?.byteLength ?? 0 });
  if (!sent.ok) return fail(toFailure(sent.failure));
  const { status, body: received } = sent.value;
  const requestId = sent.value.headers["request-id"] ?? "";
  audit.add({ relayStatus: status, relayBytesReceived: received.byteLength });
  if (isGuid(requestId)) audit.add({ relayRequestId: requestId });
  return status >= 200 && status <= 599 ? sent : fail(toFailure({ kind: "network", code: "STATUS" }));
}

function toFailure({ kind }: OutboundFailure | ShareUsedUp): Failure {
  switch (kind) {
    case "timeout":
      return { kind: "dependency_failed", dependency: "downstream", problem: "timeout" };
    case "network":
      return { kind: "dependency_failed", dependency: "downstream", problem: "unavailable" };
    case "answer_too_large":
      return { kind: "dependency_failed", dependency: "downstream", problem: "answer_too_large" };
    case "share_used_up":
      return { kind: "dependency_failed", dependency: "downstream", problem: "busy", retryAfterSeconds: 1 };
  }
}

/** What the API answered to a token. */
interface Answered {
  readonly exchange: RelayExchange;
  readonly response: BytesResponse;
}

/**
 * The response, or that to a second request with a new token. A challenge that a new token does not answer is for the
 * caller. Without a challenge, only a cached token is worth a second attempt, and the API's 401 stays if none is left.
 */
async function renew(
  context: RelayContext,
  request: RelayRequest,
  { exchange, response }: Answered,
  audit: AuditTrail,
): Promise<Result<BytesResponse, Failure>> {
  if (response.status !== 401) return succeed(response);
  const claims = challengeOf(response);
  if (claims === undefined && !CACHED.includes(exchange.cache)) return succeed(response);
  const { tokenParameters } = request.exchange;
  const renewal = claims === undefined ? { forceRefresh: true } : { claims };
  const again = { ...request, exchange: { ...request.exchange, tokenParameters: { ...tokenParameters, ...renewal } } };
  const exchanged = await exchangeForRelay(context, again, audit);
  if (!exchanged.ok) return claims === undefined ? succeed(response) : exchanged;
  const second = await send(context, again, exchanged.value, audit);
  const unanswered = second.ok ? challengeOf(second.value) : undefined;
  return unanswered === undefined ? second : fail(toChallenge(exchanged.value.entitlement, unanswered));
}

const CACHED: readonly Exchange["cache"][] = ["hit", "shared", "joined"];

function challengeOf({ status, headers }: BytesResponse): string | undefined {
  return status === 401 ? challengedClaims(headers["www-authenticate"]) : undefined;
}

/** The challenge in this service's format, as if Entra had made it. */
function toChallenge({ api, scopes, flow }: RelayEntitlement, claims: string): Failure {
  const evidence: EntraEvidence = {
    codes: [],
    suberror: undefined,
    claims,
    traceId: undefined,
    correlationId: undefined,
  };
  const named = scopes.map((scope) => `${api.resource}/${scope}`);
  return { kind: "entra_refused", verdict: "interaction_required", evidence, scopes: named, flow };
}
