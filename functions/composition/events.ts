/**
 * The events of grants, if the settings name a receiver. Outbox and receivers are lazy chunks of the bundle that the first
 * event loads.
 */
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import type { EventConfig, FixedConfig } from "../../shared/config/config.ts";
import { beforeDeadline } from "../../shared/core/deadline.ts";
import type { GrantEvents } from "../../shared/core/grant-event.ts";
import { EVENTS_STOP_MS } from "../../shared/core/limits.ts";
import { succeed } from "../../shared/core/result.ts";
import { SecretValue } from "../../shared/core/secret-value.ts";
import { createEventPublisher, type EventPublisher } from "../../shared/events/event-publisher.ts";
import type { EventTarget } from "../../shared/events/event-target.ts";
import type { GrantTable } from "../../shared/grants/grant-table.ts";
import type { Outbound } from "../../shared/outbound/outbound.ts";
import type { Azure } from "./azure.ts";
import { once } from "./once.ts";
import { outboundFor } from "./outbound-for.ts";

/** Microsoft's SDKs use this scope in every cloud. */
const EVENT_GRID_SCOPE = "https://eventgrid.azure.net/.default";

/** Without a receiver. */
export const NO_EVENTS: GrantEvents = { publish: () => undefined };

export interface EventsInput {
  readonly config: FixedConfig;
  readonly azure: Azure;
  /** Undefined: no grant store is configured. */
  readonly table: (() => Promise<GrantTable>) | undefined;
  readonly outbound: Outbound;
  readonly nowMs: () => number;
  readonly operatorLog: OperatorLog;
}

/** Undefined: the service sends no events. */
export function createEvents(input: EventsInput): EventPublisher | undefined {
  const { config, table, nowMs, operatorLog } = input;
  const { events } = config;
  // The configuration requires a grant store for events.
  if (events === undefined || table === undefined) return undefined;
  return createEventPublisher({
    source: config.serviceUrl,
    parts: once(() => createParts(input, events, table)),
    nowSeconds: () => Math.floor(nowMs() / 1_000),
    onProblem: (problem) => operatorLog.add({ event: "events", ...problem }),
  });
}

/** Before the host ends the process. What is written by then is sent by the timer. */
export async function stopEvents(events: EventPublisher): Promise<void> {
  await beforeDeadline(events.settled(), EVENTS_STOP_MS).catch(() => undefined);
}

// ------------------------------------------------------------------------------------------------------------------

async function createParts(
  input: EventsInput,
  { topicEndpoint, webhook }: EventConfig,
  openTable: () => Promise<GrantTable>,
) {
  const [{ createOutbox }, table, topic, hook] = await Promise.all([
    import("../../shared/events/outbox.ts"),
    openTable(),
    topicEndpoint === undefined ? undefined : createTopic(input, topicEndpoint),
    webhook === undefined ? undefined : createWebhook(input, webhook),
  ]);
  return { outbox: createOutbox(table), targets: [topic, hook].filter((target) => target !== undefined) };
}

async function createTopic({ azure, outbound }: EventsInput, endpoint: string): Promise<EventTarget> {
  const { createEventGridTarget } = await import("../../shared/events/event-grid-target.ts");
  const accessToken = async () => {
    const token = await (await azure.identity()).getToken(EVENT_GRID_SCOPE);
    if (token === null) throw new Error("The managed identity returned no token.");
    return new SecretValue(token.token);
  };
  return createEventGridTarget({ endpoint, outbound: await outboundFor(outbound, endpoint), accessToken });
}

async function createWebhook(
  { azure, outbound, nowMs }: EventsInput,
  { url, secretName }: NonNullable<EventConfig["webhook"]>,
): Promise<EventTarget> {
  const { createWebhookTarget } = await import("../../shared/events/webhook-target.ts");
  const readSecret = async () => {
    const secret = await (await azure.vault()).readSecret(secretName);
    return secret.ok ? succeed(secret.value.value) : secret;
  };
  return createWebhookTarget({ url, outbound: await outboundFor(outbound, url), readSecret, nowMs });
}
