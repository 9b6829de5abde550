/** The settings of grant events: their contradictions, and their part of the `Config`. Pure. */
import { isLoopbackUrl } from "../core/loopback.ts";
import type { Cloud } from "./clouds.ts";
import type { EventConfig } from "./config.ts";
import type { SettingName } from "./settings.ts";

type Values = ReadonlyMap<SettingName, string>;

/** `cloud`: undefined if the setting CLOUD is missing or wrong. */
export function eventProblems(values: Values, cloud: Cloud | undefined): string[] {
  const named = (["EVENT_GRID_TOPIC_ENDPOINT", "EVENT_WEBHOOK_URL"] as const).filter((name) => values.has(name));
  const [first] = named;
  if (first === undefined) return [];
  const store = values.has("GRANT_STORE_URL")
    ? []
    : [`GRANT_STORE_URL is missing: ${first} is set, and events are about grants and wait in their table`];
  return cloud === undefined ? store : [...store, ...topicProblems(values, cloud), ...webhookProblems(values, cloud)];
}

/** Undefined: the service sends no events. */
export function toEventConfig(values: Values): EventConfig | undefined {
  const topicEndpoint = values.get("EVENT_GRID_TOPIC_ENDPOINT");
  const url = values.get("EVENT_WEBHOOK_URL");
  const secretName = values.get("EVENT_WEBHOOK_SECRET_NAME") ?? "";
  if (topicEndpoint === undefined && url === undefined) return undefined;
  return { topicEndpoint, webhook: url === undefined ? undefined : { url, secretName } };
}

// ---------------------------------------------------------------------------------------------------------------

/** The service sends a token of its identity there, so the host must be Event Grid's: name and region before the suffix. */
function topicProblems(values: Values, { name, eventGridSuffix }: Cloud): string[] {
  const endpoint = values.get("EVENT_GRID_TOPIC_ENDPOINT");
  if (endpoint === undefined) return [];
  if (name === "local") {
    return isLoopbackUrl(endpoint)
      ? []
      : ["EVENT_GRID_TOPIC_ENDPOINT must have the host 127.0.0.1, [::1] or localhost with CLOUD=local"];
  }
  const { protocol, hostname, port, pathname } = new URL(endpoint);
  const labels = hostname.slice(0, -eventGridSuffix.length);
  const valid =
    protocol === "https:" &&
    port === "" &&
    pathname === "/api/events" &&
    hostname.endsWith(eventGridSuffix) &&
    /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(labels);
  return valid
    ? []
    : [
        `EVENT_GRID_TOPIC_ENDPOINT must be https://<topic>.<region>${eventGridSuffix}/api/events in the cloud that CLOUD names`,
      ];
}

function webhookProblems(values: Values, { name }: Cloud): string[] {
  const url = values.get("EVENT_WEBHOOK_URL");
  return url === undefined || url.startsWith("https://") || (name === "local" && isLoopbackUrl(url))
    ? []
    : ["EVENT_WEBHOOK_URL must use https: http is allowed only with CLOUD=local and a host on this machine"];
}
