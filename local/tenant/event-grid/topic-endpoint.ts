/**
 * The endpoint of an Event Grid custom topic with the schema CloudEventSchemaV1_0, for publishers with a token of Entra
 * (https://learn.microsoft.com/azure/event-grid/cloud-event-schema and .../authenticate-with-microsoft-entra-id).
 */
import { RESOURCE_URIS } from "../directory/seed-ids.ts";
import { type BearerTenant, readBearer } from "../oauth/bearer.ts";
import type { Topic } from "./topic.ts";

export interface EventGridTenant extends BearerTenant {
  readonly topic: Topic;
}

export interface PublishRequest {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

export const TOPIC_PATH = "/api/events";

const BODY_MAX_BYTES = 1024 * 1024;
/** Names of attributes: lower-case letters and digits (CloudEvents 1.0, section 3). */
const ATTRIBUTE = /^[a-z0-9]+$/;

export function answerPublishRequest(
  tenant: EventGridTenant,
  request: PublishRequest,
): { status: number; body: object } {
  if (request.method !== "POST") return error(405, "MethodNotAllowed", "The method is not allowed.");
  const finding = readBearer(tenant, request.authorization, [RESOURCE_URIS.eventGrid]);
  if (finding.kind !== "valid") return error(401, "Unauthorized", "The request did not contain valid credentials.");
  if (!tenant.topic.senders.has(String(finding.claims["oid"]))) {
    return error(403, "Forbidden", "The principal is not allowed to perform 'Microsoft.EventGrid/events/send/action'.");
  }
  if (request.query.get("api-version") !== "2018-01-01") {
    return error(400, "BadRequest", "The api-version is not supported.");
  }
  if (Buffer.byteLength(request.body) > BODY_MAX_BYTES) {
    return error(413, "PayloadTooLarge", "The maximum size (1536000) has been exceeded.");
  }
  const events = readEvents(request);
  if (events === undefined) {
    return error(400, "BadRequest", "This resource is configured to receive events in 'CloudEventV10' schema.");
  }
  tenant.topic.events.push(...events);
  return { status: 200, body: {} };
}

// ---------------------------------------------------------------------------------------------------------------

function readEvents({ contentType, body }: PublishRequest): Record<string, unknown>[] | undefined {
  const mediaType = contentType?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/cloudevents-batch+json" && mediaType !== "application/cloudevents+json") {
    return undefined;
  }
  const parsed = parse(body);
  const events = mediaType.includes("batch") ? parsed : [parsed];
  return Array.isArray(events) && events.length > 0 && events.every(isCloudEvent) ? events : undefined;
}

/** Event Grid requires `subject`, which CloudEvents does not. */
function isCloudEvent(event: unknown): event is Record<string, unknown> {
  if (typeof event !== "object" || event === null || Array.isArray(event)) return false;
  const attributes: Record<string, unknown> = { ...event };
  const required = ["id", "source", "type", "specversion", "subject"];
  return (
    attributes["specversion"] === "1.0" &&
    required.every((name) => typeof attributes[name] === "string" && attributes[name] !== "") &&
    Object.keys(attributes).every((name) => ATTRIBUTE.test(name))
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function error(status: number, code: string, message: string): { status: number; body: object } {
  return { status, body: { error: { code, message, details: [] } } };
}
