/** Delivery of events: the signature, receivers that fail, retries across restarts, and what is given up. */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { InvocationContext, type Timer } from "@azure/functions";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createSendEvents } from "../../functions/timers/send-events.ts";
import { EVENT_DEADLINE_MS } from "../../shared/core/limits.ts";
import { createHttpsOutbound } from "../../shared/outbound/https-outbound.ts";
import { allowedHandle } from "../sign-in/support/sign-in.ts";
import { MINUTE } from "../support/movable-clock.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { readTable } from "../support/table-rows.ts";
import { useWorld } from "../support/use-world.ts";
import { type Delivery, startWebhookReceiver, type WebhookReceiver } from "./support/webhook-receiver.ts";

const { world, clock } = useWorld();

const HOUR = 60 * MINUTE;
const newSecret = () => `whsec_${randomBytes(32).toString("base64")}`;
const putSecret = (value: string) => world.tenant.state.setSecret({ name: "event-webhook-secret", value });
const status = (code: number) => (response: { writeHead(code: number): { end(): void } }) =>
  response.writeHead(code).end();

let receiver: WebhookReceiver;
let secret: string;
beforeAll(async () => {
  receiver = await startWebhookReceiver();
});
beforeEach(() => {
  secret = newSecret();
  putSecret(secret);
});
afterEach(() => {
  receiver.clear();
  world.tenant.state.reset();
});
afterAll(() => receiver.close());

const serve = (settings: Record<string, string | undefined> = {}) =>
  world.serve({ settings: { EVENT_WEBHOOK_URL: receiver.url, ...settings } });

/** A grant is allowed, and its event has been sent or has failed. */
async function cause(at: ServiceUnderTest): Promise<void> {
  await allowedHandle(at);
  await at.service.grantEvents?.settled();
}

/** One run of the timer: the events that it logs. */
async function runTimer({ service }: ServiceUnderTest): Promise<Record<string, unknown>[]> {
  if (service.grantEvents === undefined) throw new Error("no events are configured");
  const lines: string[] = [];
  const logHandler = (_level: string, ...args: unknown[]) => void lines.push(args.map(String).join(" "));
  const context = new InvocationContext({ functionName: "timer", invocationId: "timer", logHandler });
  await createSendEvents(service, service.grantEvents)({ isPastDue: false } as Timer, context);
  return lines.map((line) => JSON.parse(line)).map(({ time: _, ...event }) => event);
}

const problems = (at: ServiceUnderTest) =>
  at.service.operatorLog
    .drain()
    .filter(({ event }) => event === "events")
    .map(({ event: _, time: __, ...problem }) => problem);
const waiting = async () => (await readTable(world)).filter(({ partitionKey }) => partitionKey === "events");

/** The library reads the system clock, and the clock of the service may be ahead of it. */
function verify({ headers, body }: Delivery, key: string): unknown {
  vi.useFakeTimers({ toFake: ["Date"], now: Number(headers["webhook-timestamp"]) * 1_000 });
  try {
    return new Webhook(key).verify(body, headers);
  } finally {
    vi.useRealTimers();
  }
}

describe("the webhook", () => {
  test("gets a signature that the library of Standard Webhooks accepts, and no other secret makes it", async () => {
    await cause(serve());
    const [delivery, ...more] = receiver.deliveries;
    if (delivery === undefined) throw new Error("nothing was delivered");
    expect(more).toEqual([]);
    expect(delivery.headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
    expect(delivery.headers["webhook-id"]).toBe(delivery.event["id"]);
    expect(Math.abs(Number(delivery.headers["webhook-timestamp"]) - clock.nowMs() / 1_000)).toBeLessThan(30);
    expect(verify(delivery, secret)).toEqual(delivery.event);
    expect(() => verify(delivery, newSecret())).toThrow("No matching signature found");
    expect(() => verify({ ...delivery, body: delivery.body.replace("created", "healed") }, secret)).toThrow();
  });

  test("gets two signatures during a rotation: the old and the new secret both verify", async () => {
    const at = serve();
    await cause(at);
    const next = newSecret();
    putSecret(`${next} ${secret}`);
    clock.advance(6 * MINUTE);
    await cause(at);
    putSecret(next);
    clock.advance(6 * MINUTE);
    await cause(at);
    const [before, during, after] = receiver.deliveries;
    if (before === undefined || during === undefined || after === undefined) throw new Error("three deliveries");
    expect(verify(before, secret)).toBeDefined();
    expect(verify(during, secret)).toEqual(during.event);
    expect(verify(during, next)).toEqual(during.event);
    expect(during.headers["webhook-signature"]?.split(" ")).toHaveLength(2);
    expect(verify(after, next)).toBeDefined();
    expect(() => verify(after, secret)).toThrow();
  });

  test.each([
    ["without a prefix", randomBytes(32).toString("base64")],
    ["that is too short", `whsec_${randomBytes(16).toString("base64")}`],
    ["that is three secrets", `${newSecret()} ${newSecret()} ${newSecret()}`],
    ["that is one secret and rubbish", `${newSecret()} rubbish`],
  ])("gets nothing that is signed with a secret %s", async (_form, value) => {
    putSecret(value);
    const at = serve();
    await cause(at);
    expect(receiver.deliveries).toEqual([]);
    expect(problems(at)).toEqual([{ name: "delivery_failed", target: "webhook", reason: "webhook_secret_invalid" }]);
    putSecret(secret);
    clock.advance(2 * MINUTE);
    await runTimer(at);
    expect(receiver.deliveries.length).toBeGreaterThan(0);
  });

  test("a trailing newline in the secret is ignored", async () => {
    putSecret(`${secret}\n`);
    await cause(serve());
    const [delivery] = receiver.deliveries;
    expect(delivery && verify(delivery, secret)).toBeDefined();
  });

  test("while the vault does not answer, the last good secret signs", async () => {
    const at = serve();
    await cause(at);
    world.tenant.state.order({ endpoint: "vault", path: "event-webhook-secret", status: 503, times: 0 });
    clock.advance(6 * MINUTE);
    await cause(at);
    const [, second] = receiver.deliveries;
    expect(second && verify(second, secret)).toBeDefined();
  });
});

describe("a receiver that fails", () => {
  test("is down for an hour, and the service restarts: the event arrives later, with the same id", async () => {
    const at = serve();
    receiver.answer = status(503);
    await cause(at);
    for (let minutes = 5; minutes < 60; minutes += 5) {
      clock.advance(5 * MINUTE);
      await runTimer(serve());
    }
    const attempts = receiver.deliveries.length;
    // At 0, 5, 10 and 20 minutes, and then at most once an hour: not at each of the 11 runs.
    expect(attempts).toBeGreaterThan(3);
    expect(attempts).toBeLessThan(8);
    receiver.answer = status(204);
    clock.advance(HOUR);
    const restarted = serve();
    expect(await runTimer(restarted)).toEqual([
      { event: "events", name: "sent", due: 1, sent: 1, failed: 0, givenUp: 0 },
    ]);
    expect(receiver.deliveries).toHaveLength(attempts + 1);
    const [first] = receiver.deliveries;
    const last = receiver.deliveries.at(-1);
    expect(last?.event).toEqual(first?.event);
    expect(last?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    // The signature is of the attempt, so a receiver does not take it for a replay.
    expect(last?.headers["webhook-timestamp"]).not.toBe(first?.headers["webhook-timestamp"]);
    expect(last && verify(last, secret)).toEqual(first?.event);
    expect(await waiting()).toEqual([]);
    expect(await runTimer(restarted)).toEqual([]);
  });

  test.each([500, 400, 401, 410, 301, 307])("answers %d: the event waits, and one line says so", async (code) => {
    const at = serve();
    receiver.answer = status(code);
    await cause(at);
    expect(problems(at)).toEqual([{ name: "delivery_failed", target: "webhook", reason: `status_${code}` }]);
    expect(await waiting()).toHaveLength(1);
    receiver.answer = status(204);
    clock.advance(2 * MINUTE);
    await runTimer(at);
    expect(await waiting()).toEqual([]);
  });

  test("that redirects elsewhere: the other host gets no request", async () => {
    const requests: string[] = [];
    const elsewhere = createServer((request, response) => {
      requests.push(request.url ?? "");
      response.writeHead(204).end();
    }).listen(0, "127.0.0.1");
    const location = () => `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
    receiver.answer = (response) => void response.writeHead(307, { location: location() }).end();
    await cause(serve());
    expect(receiver.deliveries).toHaveLength(1);
    expect(requests).toEqual([]);
    elsewhere.close();
    clock.advance(2 * MINUTE);
    receiver.answer = status(204);
    await runTimer(serve());
  });

  test("answers with a large body: the event waits", async () => {
    const at = serve();
    receiver.answer = (response) => void response.writeHead(200).end("x".repeat(64 * 1024));
    await cause(at);
    expect(problems(at)).toEqual([{ name: "delivery_failed", target: "webhook", reason: "answer_too_large" }]);
    receiver.answer = status(204);
    clock.advance(2 * MINUTE);
    await runTimer(at);
  });

  test("does not answer: each request has a deadline and a size limit", async () => {
    const sent: { deadlineMs: number; maxBytes: number }[] = [];
    const outbound = createHttpsOutbound();
    const at = world.serve({
      settings: { EVENT_GRID_TOPIC_ENDPOINT: world.tenant.state.topicEvents().endpoint },
      surroundings: {
        outbound: {
          async send(request) {
            if (!request.url.includes("/api/events")) return outbound.send(request);
            sent.push(request);
            return { ok: false, failure: { kind: "timeout" } };
          },
        },
      },
    });
    await cause(at);
    expect(sent).toEqual([expect.objectContaining({ deadlineMs: EVENT_DEADLINE_MS, maxBytes: 16_384 })]);
    expect(problems(at)).toEqual([{ name: "delivery_failed", target: "event-grid", reason: "timeout" }]);
    clock.advance(2 * MINUTE);
    await runTimer(serve({ EVENT_GRID_TOPIC_ENDPOINT: world.tenant.state.topicEvents().endpoint }));
  });

  test("is left alone for a minute: the events of that time wait for the timer", async () => {
    const at = serve();
    receiver.answer = status(503);
    await cause(at);
    await cause(at);
    await cause(at);
    expect(receiver.deliveries).toHaveLength(1);
    receiver.answer = status(204);
    clock.advance(2 * MINUTE);
    expect(await runTimer(at)).toContainEqual(expect.objectContaining({ sent: 3, failed: 0 }));
    expect(problems(at)).toEqual([]);
    const ids = receiver.deliveries.slice(1).map(({ event }) => event["id"]);
    expect(new Set(ids).size).toBe(3);
  });

  test("fails for a day: the event is given up, and an operator event says so", async () => {
    const at = serve();
    receiver.answer = status(503);
    await cause(at);
    clock.advance(23 * HOUR);
    await runTimer(at);
    expect(await waiting()).toHaveLength(1);
    clock.advance(2 * HOUR);
    expect(await runTimer(at)).toEqual([
      { event: "events", name: "sent", due: 1, sent: 0, failed: 0, givenUp: 1 },
      { event: "events", name: "given_up", target: "webhook", reason: "too_old", count: 1 },
    ]);
    expect(await waiting()).toEqual([]);
  });

  test("does not keep the other receiver from its events", async () => {
    const { endpoint } = world.tenant.state.topicEvents();
    const at = serve({ EVENT_GRID_TOPIC_ENDPOINT: endpoint });
    receiver.answer = status(503);
    await cause(at);
    expect(world.tenant.state.topicEvents().events).toHaveLength(1);
    expect(await waiting()).toMatchObject([{ target: "webhook" }]);
    receiver.answer = status(204);
    clock.advance(2 * MINUTE);
    await runTimer(at);
    expect(world.tenant.state.topicEvents().events).toHaveLength(1);
    expect(receiver.deliveries.at(-1)?.event).toEqual(world.tenant.state.topicEvents().events[0]);
  });
});

describe("the Event Grid topic", () => {
  const grid = () => serve({ EVENT_WEBHOOK_URL: undefined, EVENT_GRID_TOPIC_ENDPOINT: endpoint() });
  const endpoint = () => world.tenant.state.topicEvents().endpoint;
  const requests = () => world.tenant.state.requests({ endpoint: "event-grid" });

  test("gets the token of the service's identity for Event Grid, and one request for all events that wait", async () => {
    world.tenant.state.setTopicSender({ sends: false });
    const at = grid();
    await cause(at);
    expect(problems(at)).toEqual([{ name: "delivery_failed", target: "event-grid", reason: "status_403" }]);
    await cause(at);
    await cause(at);
    world.tenant.state.setTopicSender({ sends: true });
    clock.advance(2 * MINUTE);
    await runTimer(at);
    expect(world.tenant.state.topicEvents().events).toHaveLength(3);
    expect(requests()).toHaveLength(2);
    expect(await waiting()).toEqual([]);
  });
});
