/** What bounds the publisher, and that nothing which goes wrong in it reaches its caller. */
import { describe, expect, test } from "vitest";
import type { GrantEvent } from "../../../shared/core/grant-event.ts";
import { fail, succeed } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import { toCloudEvent } from "../../../shared/events/cloud-event.ts";
import { createEventGridTarget } from "../../../shared/events/event-grid-target.ts";
import type { EventProblem } from "../../../shared/events/event-problem.ts";
import { createEventPublisher } from "../../../shared/events/event-publisher.ts";
import type { EventTarget } from "../../../shared/events/event-target.ts";
import type { Outbox, WaitingEvent } from "../../../shared/events/outbox.ts";
import { sendDue } from "../../../shared/events/send-due.ts";

const NOW = 1_796_000_000;
const SOURCE = "https://gte.contoso.example";

function grantEvent(changes: Partial<GrantEvent> = {}): GrantEvent {
  return {
    kind: "created",
    grantId: "a".repeat(64),
    clientId: "c1",
    user: { tenantId: "t", objectId: "o" },
    policyEntry: "daemon",
    expiresAtSeconds: NOW + 1_000,
    reason: undefined,
    signInUrl: undefined,
    ...changes,
  };
}

const numbered = (count: number) => Array.from({ length: count }, (_, at) => grantEvent({ grantId: `grant-${at}` }));

/** An outbox in memory, and a receiver that answers when the test says so. */
function setUp(changes: { outbox?: Partial<Outbox>; send?: EventTarget["send"] } = {}) {
  const rows = new Map<string, WaitingEvent>();
  const problems: EventProblem[] = [];
  const sent: string[] = [];
  const clock = { seconds: NOW };
  const outbox: Outbox = {
    async add(event) {
      if (rows.has(event.id)) return succeed(false);
      rows.set(event.id, event);
      return succeed(true);
    },
    due: async () => succeed([...rows.values()]),
    postpone: async () => succeed(true),
    remove: async ({ id }) => succeed(rows.delete(id)),
    surplus: async () => succeed([]),
    ...changes.outbox,
  };
  const target: EventTarget = {
    name: "webhook",
    batchMax: 1,
    async send(events) {
      sent.push(...events.map(({ id }) => id));
      return changes.send === undefined ? succeed(true) : changes.send(events);
    },
  };
  const publisher = createEventPublisher({
    source: SOURCE,
    parts: async () => ({ outbox, targets: [target] }),
    nowSeconds: () => clock.seconds,
    onProblem: (problem) => void problems.push(problem),
  });
  return { publisher, outbox, target, rows, problems, sent, clock };
}

describe("publish", () => {
  test("knows the ids of the latest thousand events only", async () => {
    const { publisher, sent } = setUp();
    for (let from = 0; from <= 1_000; from += 50) {
      for (const event of numbered(50)) publisher.publish({ ...event, grantId: `${event.grantId} of ${from}` });
      await publisher.settled();
    }
    const before = sent.length;
    publisher.publish(grantEvent({ grantId: "grant-0 of 0" }));
    await publisher.settled();
    publisher.publish(grantEvent({ grantId: "grant-49 of 1000" }));
    await publisher.settled();
    expect(sent.length - before).toBe(1);
  });

  test("sends the same fact once, however often it is reported", async () => {
    const { publisher, sent } = setUp();
    for (let times = 0; times < 50; times += 1) publisher.publish(grantEvent({ kind: "dead" }));
    await publisher.settled();
    publisher.publish(grantEvent({ kind: "dead" }));
    await publisher.settled();
    expect(sent).toHaveLength(1);
  });

  test("writes at most 100 events at once, and reports those that it drops", async () => {
    const { publisher, problems, rows } = setUp({ send: async () => fail("timeout") });
    for (const event of numbered(150)) publisher.publish(event);
    await publisher.settled();
    expect(rows.size).toBe(100);
    expect(problems.filter(({ name }) => name === "outbox_failed")).toEqual(
      Array.from({ length: 50 }, () => ({ name: "outbox_failed", reason: "too_many" })),
    );
  });

  test("makes at most ten first attempts at once: the other events wait for the timer", async () => {
    const release = Promise.withResolvers<void>();
    const { publisher, sent, rows } = setUp({
      send: async () => {
        await release.promise;
        return succeed(true);
      },
    });
    for (const event of numbered(40)) publisher.publish(event);
    release.resolve();
    await publisher.settled();
    expect(sent).toHaveLength(10);
    expect(rows.size).toBe(30);
  });

  test("reports an event again if writing it failed", async () => {
    let fails = true;
    const { publisher, problems, sent } = setUp({
      outbox: {
        add: async () => (fails ? fail({ kind: "store_timeout" }) : succeed(true)),
      },
    });
    publisher.publish(grantEvent());
    await publisher.settled();
    expect(problems).toEqual([{ name: "outbox_failed", reason: "store_timeout" }]);
    fails = false;
    publisher.publish(grantEvent());
    await publisher.settled();
    expect(sent).toHaveLength(1);
  });

  test("does not throw if everything behind it does", async () => {
    const problems: EventProblem[] = [];
    const publisher = createEventPublisher({
      source: SOURCE,
      parts: () => Promise.reject(new Error("secret text of an SDK")),
      nowSeconds: () => NOW,
      onProblem: (problem) => void problems.push(problem),
    });
    expect(() => publisher.publish(grantEvent())).not.toThrow();
    await publisher.settled();
    expect(problems).toEqual([{ name: "outbox_failed", reason: "unexpected" }]);
  });
});

describe("the id of an event", () => {
  const idOf = (changes: Partial<GrantEvent>, at = NOW) => toCloudEvent(grantEvent(changes), SOURCE, at).id;

  test("is the same for the same fact, whenever and by whomever it is reported", () => {
    const kind = "expiring";
    expect(idOf({ kind }, NOW + 5_000)).toBe(idOf({ kind }));
    expect(idOf({ kind, signInUrl: "https://x/signin/a", reason: "x" })).toBe(idOf({ kind }));
  });

  test("of a second death is another one", () => {
    expect(idOf({ kind: "dead" }, NOW + 5_000)).not.toBe(idOf({ kind: "dead" }));
  });

  test("is another for another kind, grant, end or service", () => {
    const ids = [
      idOf({}),
      idOf({ kind: "dead" }),
      idOf({ grantId: "b".repeat(64) }),
      idOf({ expiresAtSeconds: NOW + 1_001 }),
      toCloudEvent(grantEvent(), "https://other.contoso.example", NOW).id,
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("of a grant whose person and end are not known", () => {
    const unknown = { kind: "revoked", user: undefined, policyEntry: undefined, expiresAtSeconds: undefined } as const;
    const { id, text } = toCloudEvent(grantEvent(unknown), SOURCE, NOW);
    expect(id).not.toBe(idOf({ kind: "revoked" }));
    expect(JSON.parse(text).data).toEqual({ clientId: "c1" });
  });

  test("of a wrong caller is another one in the next hour", () => {
    const kind = "presented_by_wrong_caller";
    const hour = Math.floor(NOW / 3_600) * 3_600;
    expect(idOf({ kind }, hour)).toBe(idOf({ kind }, hour + 3_599));
    expect(idOf({ kind }, hour)).not.toBe(idOf({ kind }, hour + 3_600));
  });
});

describe("sendDue", () => {
  const waitingEvents = (count: number, changes: Partial<WaitingEvent> = {}) =>
    Array.from({ length: count }, (_, at): WaitingEvent => {
      return { target: "webhook", id: `id-${at}`, text: "{}", createdAtSeconds: NOW - at, attempts: 0, ...changes };
    });
  const run = (setting: ReturnType<typeof setUp>, due: readonly WaitingEvent[]) =>
    sendDue({
      outbox: { ...setting.outbox, due: async () => succeed(due) },
      targets: [setting.target],
      nowSeconds: NOW,
      onSent: () => undefined,
      onProblem: (problem) => void setting.problems.push(problem),
    });

  test("sends the oldest events first", async () => {
    const setting = setUp();
    await run(setting, waitingEvents(3));
    expect(setting.sent).toEqual(["id-2", "id-1", "id-0"]);
  });

  test("leaves a receiver alone after two rounds of five failures", async () => {
    const setting = setUp({ send: async () => fail("timeout") });
    expect(await run(setting, waitingEvents(300))).toEqual({ due: 300, sent: 0, failed: 10, givenUp: 0 });
    expect(setting.sent).toHaveLength(10);
  });

  test("one event that is refused each time does not stop the others", async () => {
    const setting = setUp({ send: async ([event]) => (event?.id === "id-299" ? fail("status_400") : succeed(true)) });
    expect(await run(setting, waitingEvents(300))).toEqual({ due: 300, sent: 299, failed: 1, givenUp: 0 });
  });

  test.each([
    [0, 120],
    [1, 240],
    [4, 1_920],
    [5, 3_600],
    [20, 3_600],
  ])("waits after %d further failures for %d seconds", async (attempts, seconds) => {
    const postponed: number[] = [];
    const setting = setUp({
      send: async () => fail("status_503"),
      outbox: {
        postpone: async (_event, at) => {
          postponed.push(at - NOW);
          return succeed(true);
        },
      },
    });
    await run(setting, waitingEvents(1, { attempts }));
    expect(postponed).toEqual([seconds]);
  });

  test("gives up the oldest events if too many wait", async () => {
    const setting = setUp({
      outbox: {
        surplus: async (max) => succeed(max === 10_000 ? [{ target: "webhook", id: "old" }] : []),
      },
    });
    expect(await run(setting, waitingEvents(500))).toMatchObject({ due: 500, givenUp: 1 });
    expect(setting.problems).toEqual([{ name: "given_up", target: "webhook", reason: "too_many", count: 1 }]);
  });

  test("reports only those events as given up that it removed", async () => {
    const setting = setUp({
      outbox: { remove: async ({ id }) => (id === "id-0" ? fail({ kind: "store_timeout" }) : succeed(true)) },
    });
    expect(await run(setting, waitingEvents(3, { createdAtSeconds: NOW - 100_000 }))).toMatchObject({ givenUp: 2 });
    expect(setting.problems).toEqual([{ name: "given_up", target: "webhook", reason: "too_old", count: 2 }]);
  });

  test("reports an outbox that cannot be read", async () => {
    const { publisher, problems } = setUp({
      outbox: { due: async () => fail({ kind: "store_refused", code: "AuthorizationFailure" }) },
    });
    expect(await publisher.sendDue()).toEqual({ due: 0, sent: 0, failed: 0, givenUp: 0 });
    expect(problems).toEqual([{ name: "outbox_failed", reason: "store_refused" }]);
  });
});

describe("the Event Grid topic", () => {
  const events = [
    { id: "1", text: '{"id":"1"}' },
    { id: "2", text: '{"id":"2"}' },
  ];

  test("gets no request without a token, and the error of the SDK goes no further", async () => {
    let requests = 0;
    const target = createEventGridTarget({
      endpoint: "https://topic.westeurope-1.eventgrid.azure.net/api/events",
      outbound: {
        async send() {
          requests += 1;
          return succeed({ status: 200, headers: {}, body: "" });
        },
      },
      accessToken: () => Promise.reject(new Error("text of an SDK")),
    });
    expect(await target.send(events)).toEqual({ ok: false, failure: "identity_unavailable" });
    expect(requests).toBe(0);
  });

  test("gets all events in one request, as a batch of CloudEvents", async () => {
    const requests: unknown[] = [];
    const target = createEventGridTarget({
      endpoint: "https://topic.westeurope-1.eventgrid.azure.net/api/events",
      outbound: {
        async send(request) {
          requests.push(request);
          return succeed({ status: 200, headers: {}, body: "" });
        },
      },
      accessToken: async () => new SecretValue("token"),
    });
    expect(await target.send(events)).toEqual({ ok: true, value: true });
    expect(requests).toEqual([
      expect.objectContaining({
        method: "POST",
        url: "https://topic.westeurope-1.eventgrid.azure.net/api/events?api-version=2018-01-01",
        headers: {
          authorization: "Bearer token",
          "content-type": "application/cloudevents-batch+json; charset=utf-8",
        },
        body: '[{"id":"1"},{"id":"2"}]',
      }),
    ]);
  });
});
