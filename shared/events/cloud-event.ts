/**
 * A grant event as a CloudEvent 1.0 in JSON (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md).
 * Pure.
 *
 * The id follows from what happened, not from when it was reported: two instances that see the same end of a grant send
 * the same id, and a receiver that knows it has the event already.
 */
import { createHash } from "node:crypto";
import type { GrantEvent } from "../core/grant-event.ts";
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
 * A grant that is allowed again has another end, so it can die again. A caller with the wrong handle may repeat it as
 * often as it likes: that is one event an hour.
 */
function idOf({ kind, grantId, expiresAtSeconds }: GrantEvent, source: string, nowSeconds: number): string {
  const hour = kind === "presented_by_wrong_caller" ? Math.floor(nowSeconds / HOUR_SECONDS) : "";
  const identity = [source, kind, grantId, expiresAtSeconds ?? "", hour].join(" ");
  return createHash("sha256").update(identity).digest("hex").slice(0, 32);
}
