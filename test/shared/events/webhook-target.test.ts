/** When the webhook's secret is read, and what is sent without one. */
import { describe, expect, test } from "vitest";
import { fail, type Result, succeed } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import { readSigningKeys, signatureHeaders } from "../../../shared/events/webhook-signature.ts";
import { createWebhookTarget } from "../../../shared/events/webhook-target.ts";
import type { OutboundRequest } from "../../../shared/outbound/outbound.ts";

const SECRET = `whsec_${Buffer.alloc(24, "k").toString("base64")}`;
const EVENT = { id: "1", text: '{"id":"1"}' };

function setUp(readSecret: () => Promise<Result<SecretValue, { readonly kind: string }>>) {
  const clock = { ms: 1_796_000_000_000 };
  const requests: OutboundRequest[] = [];
  let reads = 0;
  const target = createWebhookTarget({
    url: "https://hooks.contoso.example/",
    outbound: {
      async send(request) {
        requests.push(request);
        return succeed({ status: 204, headers: {}, body: "" });
      },
    },
    readSecret: () => {
      reads += 1;
      return readSecret();
    },
    nowMs: () => clock.ms,
  });
  return { target, requests, clock, reads: () => reads };
}

describe("the secret", () => {
  test("is read once for many events, and again after five minutes", async () => {
    const { target, requests, clock, reads } = setUp(async () => succeed(new SecretValue(SECRET)));
    await Promise.all(Array.from({ length: 20 }, () => target.send([EVENT])));
    expect([requests.length, reads()]).toEqual([20, 1]);
    clock.ms += 5 * 60_000 + 1;
    await target.send([EVENT]);
    expect(reads()).toBe(2);
  });

  test.each<[string, () => Promise<Result<SecretValue, { readonly kind: string }>>, string]>([
    ["is missing", async () => fail({ kind: "secret_missing" }), "secret_missing"],
    ["is no secret of Standard Webhooks", async () => succeed(new SecretValue("password")), "webhook_secret_invalid"],
    ["cannot be read", () => Promise.reject(new Error("text of an SDK")), "unexpected"],
  ])("%s: nothing is sent, and the next event reads it again", async (_how, readSecret, failure) => {
    const { target, requests, reads } = setUp(readSecret);
    expect(await target.send([EVENT])).toEqual({ ok: false, failure });
    expect(await target.send([EVENT])).toEqual({ ok: false, failure });
    expect([requests.length, reads()]).toEqual([0, 2]);
  });

  test("has 24 to 64 bytes", () => {
    const ofLength = (bytes: number) =>
      readSigningKeys(new SecretValue(`whsec_${Buffer.alloc(bytes, "k").toString("base64")}`)).ok;
    expect([23, 24, 64, 65].map(ofLength)).toEqual([false, true, true, false]);
  });
});

test("without an event nothing is sent", async () => {
  const { target, requests } = setUp(async () => succeed(new SecretValue(SECRET)));
  expect(await target.send([])).toEqual({ ok: false, failure: "nothing_to_send" });
  expect(requests).toEqual([]);
});

// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
test("the signature is the one of Standard Webhooks' published example", () => {
  const keys = readSigningKeys(new SecretValue("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
  const headers = signatureHeaders(keys.ok ? keys.value : [], {
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    timestampSeconds: 1614265330,
    body: '{"test": 2432232314}',
  });
  expect(headers).toEqual({
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});
