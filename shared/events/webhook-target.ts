/**
 * A webhook: one signed request for each event. The secret comes from the vault, and is read again every five minutes, so
 * that a rotation needs no restart.
 */
import { EVENT_ANSWER_MAX_BYTES, EVENT_DEADLINE_MS } from "../core/limits.ts";
import { fail, type Result } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { Outbound } from "../outbound/outbound.ts";
import type { EventTarget, OutgoingEvent } from "./event-target.ts";
import { toOutcome } from "./to-outcome.ts";
import { readSigningKeys, signatureHeaders } from "./webhook-signature.ts";

/** As for the client secret. */
const SECRET_FRESH_MS = 5 * 60_000;

export interface WebhookTargetInput {
  readonly url: string;
  readonly outbound: Outbound;
  /** The newest version in the vault. */
  readonly readSecret: () => Promise<Result<SecretValue, { readonly kind: string }>>;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

type SigningKeys = Result<readonly SecretValue[], string>;

export function createWebhookTarget(input: WebhookTargetInput): EventTarget {
  const { nowMs } = input;
  let read: { readonly atMs: number; readonly keys: Promise<SigningKeys> } | undefined;
  const signingKeys = (): Promise<SigningKeys> => {
    if (read === undefined || Math.abs(nowMs() - read.atMs) > SECRET_FRESH_MS) {
      const previous = read?.keys;
      read = { atMs: nowMs(), keys: readKeys(input, previous) };
    }
    return read.keys;
  };
  return {
    name: "webhook",
    batchMax: 1,
    async send([event]) {
      if (event === undefined) return fail("nothing_to_send");
      const keys = await signingKeys();
      if (!keys.ok) {
        // Not a version in use: the next attempt reads the vault again.
        read = undefined;
        return keys;
      }
      return post(input, keys.value, event);
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** While the vault does not answer, the last good secret signs. */
async function readKeys({ readSecret }: WebhookTargetInput, previous?: Promise<SigningKeys>): Promise<SigningKeys> {
  const secret = await readSecret().catch(() => fail({ kind: "unexpected" }));
  if (secret.ok) return readSigningKeys(secret.value);
  const last = await previous;
  return last?.ok === true ? last : fail(secret.failure.kind);
}

async function post(
  { url, outbound, nowMs }: WebhookTargetInput,
  keys: readonly SecretValue[],
  { id, text: body }: OutgoingEvent,
): Promise<Result<true, string>> {
  const timestampSeconds = Math.floor(nowMs() / 1_000);
  return toOutcome(
    await outbound.send({
      method: "POST",
      url,
      headers: {
        "content-type": "application/cloudevents+json; charset=utf-8",
        ...signatureHeaders(keys, { id, timestampSeconds, body }),
      },
      body,
      deadlineMs: EVENT_DEADLINE_MS,
      maxBytes: EVENT_ANSWER_MAX_BYTES,
    }),
  );
}
