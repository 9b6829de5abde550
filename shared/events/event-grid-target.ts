/**
 * An Event Grid custom topic with the CloudEvents schema. The identity of the service authenticates (role EventGrid Data
 * Sender), so there is no key.
 *
 * Sources: https://learn.microsoft.com/azure/event-grid/cloud-event-schema (content types),
 * https://learn.microsoft.com/azure/event-grid/authenticate-with-microsoft-entra-id (role, scope),
 * https://learn.microsoft.com/azure/event-grid/post-to-custom-topic (api-version, limits)
 */
import { beforeDeadline } from "../core/deadline.ts";
import { EVENT_ANSWER_MAX_BYTES, EVENT_DEADLINE_MS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { Outbound } from "../outbound/outbound.ts";
import type { EventTarget, OutgoingEvent } from "./event-target.ts";
import { toOutcome } from "./to-outcome.ts";

/** The only version of the data plane for custom topics. */
const API_VERSION = "2018-01-01";
/** An event has less than 8 KB, and Event Grid accepts 1 MB in one request. */
const BATCH_MAX = 50;

export interface EventGridTargetInput {
  /** `https://<topic>.<region>.eventgrid.azure.net/api/events` */
  readonly endpoint: string;
  readonly outbound: Outbound;
  /** A token of the managed identity for Event Grid. May reject. */
  readonly accessToken: () => Promise<SecretValue>;
}

export function createEventGridTarget(input: EventGridTargetInput): EventTarget {
  return { name: "event-grid", batchMax: BATCH_MAX, send: (events) => send(input, events) };
}

// ---------------------------------------------------------------------------------------------------------------

async function send(
  { endpoint, outbound, accessToken }: EventGridTargetInput,
  events: readonly OutgoingEvent[],
): Promise<Result<true, string>> {
  const token = await readToken(accessToken);
  if (!token.ok) return token;
  return toOutcome(
    await outbound.send({
      method: "POST",
      url: `${endpoint}?api-version=${API_VERSION}`,
      headers: {
        authorization: `Bearer ${token.value.reveal()}`,
        "content-type": "application/cloudevents-batch+json; charset=utf-8",
      },
      body: `[${events.map(({ text }) => text).join(",")}]`,
      deadlineMs: EVENT_DEADLINE_MS,
      maxBytes: EVENT_ANSWER_MAX_BYTES,
    }),
  );
}

/** The identity SDK ignores abort signals, and the text of its errors stays here. */
async function readToken(accessToken: () => Promise<SecretValue>): Promise<Result<SecretValue, string>> {
  try {
    return succeed(await beforeDeadline(accessToken(), EVENT_DEADLINE_MS));
  } catch {
    return fail("identity_unavailable");
  }
}
