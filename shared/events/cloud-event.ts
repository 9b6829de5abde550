/**
 * A grant event as a CloudEvent 1.0 in JSON (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md).
 * Pure.
 *
 * Each attempt to send an event has the same id, so a receiver that knows it has the event already.
 */
import { createHash } from "node:crypto";
import type { GrantEvent, GrantEventKind } from "../core/grant-event.ts";
import { isoTime } from "../core/iso-time.ts";

export interface CloudEvent {
  /** 32 hex digits. */
  readonly id: string;
  readonly type: string;
  /** The event as JSON. */
  readonly text: string;
}

const HOUR_SECONDS = 3_600;

/** `source`: the URL of the service. */
export function toCloudEvent(event: GrantEvent, source: string, nowSeconds: number): CloudEvent {
  const { kind, grantId, clientId, user, policyEntry, expiresAtSeconds, reason, signInUrl } = event;
  const id = idOf(event, source, nowSeconds);
  const type = `graph-token-exchange.grant.${kind}`;
  const text = JSON.stringify({
    specversion: "1.0",
    id,
    source,
    type,
    subject: grantId,
    time: isoTime(nowSeconds),
    datacontenttype: "application/json",
    data: {
      clientId,
      user: user && { tenantId: user.tenantId, objectId: user.objectId },
      policyEntry,
      expiresOn: expiresAtSeconds === undefined ? undefined : isoTime(expiresAtSeconds),
      reason,
      signInUrl,
    },
  });
  return { id, type, text };
}

// ---------------------------------------------------------------------------------------------------------------

/**
 * A grant can die again, so the time of its death counts; its row says which call reports a death. A caller with the wrong
 * handle may repeat it as often as it likes: that is one event an hour.
 */
function idOf({ kind, grantId, expiresAtSeconds }: GrantEvent, source: string, nowSeconds: number): string {
  const identity = [source, kind, grantId, expiresAtSeconds ?? "", periodOf(kind, nowSeconds)].join(" ");
  return createHash("sha256").update(identity).digest("hex").slice(0, 32);
}

function periodOf(kind: GrantEventKind, nowSeconds: number): number | "" {
  if (kind === "dead") return nowSeconds;
  return kind === "presented_by_wrong_caller" ? Math.floor(nowSeconds / HOUR_SECONDS) : "";
}
