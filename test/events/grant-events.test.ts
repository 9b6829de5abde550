/**
 * The events of a grant's life, from the request that causes each to the receivers: an Event Grid topic of the local
 * tenant and a webhook on loopback.
 */
import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { cookiesOf, hiddenFields, newBrowser, pathOf } from "../sign-in/support/browser.ts";
import {
  allowedHandle,
  answerLink,
  callbackPath,
  entraCode,
  entraRequest,
  requestLink,
  signInByLink,
} from "../sign-in/support/sign-in.ts";
import { appToken, bearer, CLIENT_IDS, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { MINUTE } from "../support/movable-clock.ts";
import { policyWithEntries } from "../support/policies.ts";
import { type Answer, SERVICE_URL, type ServiceUnderTest } from "../support/service-under-test.ts";
import { newTableName, readTable } from "../support/table-rows.ts";
import { useWorld } from "../support/use-world.ts";
import { startWebhookReceiver, type WebhookReceiver } from "./support/webhook-receiver.ts";

const { world, clock } = useWorld();

let receiver: WebhookReceiver;
let at: ServiceUnderTest;
beforeAll(async () => {
  receiver = await startWebhookReceiver();
});
afterEach(async () => {
  await at?.service.grantEvents?.settled();
  receiver.clear();
  world.tenant.state.reset();
});
afterAll(() => receiver.close());

function serve(settings: Record<string, string | undefined> = {}): ServiceUnderTest {
  at = world.serve({
    settings: {
      POLICY: policyWithEntries({ daemon: { linkMinutes: 60 } }),
      EVENT_GRID_TOPIC_ENDPOINT: world.tenant.state.topicEvents().endpoint,
      EVENT_WEBHOOK_URL: receiver.url,
      ...settings,
    },
  });
  return at;
}

const daemon = () => bearer(appToken(world, { client: "daemon" }));
const idOf = (handle: string) => createHash("sha256").update(handle).digest("hex");
const redeem = (grant: string, headers = daemon()): Promise<Answer> =>
  at.call("/AuthorizationHeader/graph", { json: { grant, forceRefresh: true }, headers });
const endSession = (times = 1) =>
  world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", aadsts: 50173, times });

/** What both receivers have, without the events before `from`. */
async function received(): Promise<Record<string, unknown>[]> {
  await at.service.grantEvents?.settled();
  const { events } = world.tenant.state.topicEvents();
  const byWebhook = receiver.deliveries.map(({ event }) => event);
  const ids = (all: readonly Record<string, unknown>[]) => all.map(({ id }) => id).sort();
  expect(ids(byWebhook)).toEqual(ids(events));
  return events;
}

const kindsOf = (events: readonly Record<string, unknown>[]) =>
  events.map(({ type }) => String(type).replace("graph-token-exchange.grant.", ""));
const signInUrlOf = (event: Record<string, unknown> = {}) => String(Object(event["data"])["signInUrl"]);
const waiting = async () => (await readTable(world)).filter(({ partitionKey }) => partitionKey === "events");

test("link, Allow: created, as a CloudEvent that names the grant, the application and the person", async () => {
  const handle = await allowedHandle(serve());
  const [event, ...others] = await received();
  expect(others).toEqual([]);
  expect(event).toEqual({
    specversion: "1.0",
    id: expect.stringMatching(/^[0-9a-f]{32}$/),
    source: SERVICE_URL,
    type: "graph-token-exchange.grant.created",
    subject: idOf(handle),
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    datacontenttype: "application/json",
    data: {
      clientId: CLIENT_IDS.daemon,
      user: { tenantId: world.tenant.state.tenantId, objectId: USER_IDS.alice },
      policyEntry: "daemon",
      expiresOn: expect.stringMatching(/Z$/),
    },
  });
  expect(await waiting()).toEqual([]);
});

test("offline_access on behalf of a user: created, when the caller receives the handle", async () => {
  serve();
  const form = exchangeForm(userToken(world), { scope: "User.Read offline_access" });
  expect((await at.call("/oauth2/token", { form })).status).toBe(200);
  expect(kindsOf(await received())).toEqual(["created"]);
});

test("the grant dies: an event with the link; the person clicks: healed, and the same handle works again", async () => {
  const handle = await allowedHandle(serve());
  // A grant that is healed ends later, so its next death is another event.
  clock.advance(MINUTE);
  endSession(3);
  for (let call = 1; call <= 3; call += 1) expect((await redeem(handle)).json()["code"]).toBe("grant_dead");
  const [, dead, ...more] = await received();
  expect(more).toEqual([]);
  expect(dead).toMatchObject({
    type: "graph-token-exchange.grant.dead",
    subject: idOf(handle),
    data: { clientId: CLIENT_IDS.daemon, policyEntry: "daemon", reason: "grant_dead" },
  });
  const signInUrl = signInUrlOf(dead);
  expect((await answerLink(at, pathOf(signInUrl))).status).toBe(200);
  expect((await redeem(handle)).status).toBe(200);
  expect(kindsOf(await received())).toEqual(["created", "dead", "healed"]);
  endSession();
  await redeem(handle);
  expect(kindsOf(await received())).toEqual(["created", "dead", "healed", "dead"]);
  const ids = (await received()).map(({ id }) => id);
  expect(new Set(ids).size).toBe(4);
});

test("Entra refuses a refresh token that another redemption has replaced: no event, and the real death has one", async () => {
  const handle = await allowedHandle(serve());
  const order = world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", aadsts: 50173, hold: true });
  const late = redeem(handle);
  await world.tenant.state.orders.hit(order);
  expect((await redeem(handle)).status).toBe(200);
  world.tenant.state.releaseOrder({ id: order });
  expect((await late).json()["code"]).toBe("grant_dead");
  expect(kindsOf(await received())).toEqual(["created"]);
  endSession();
  expect((await redeem(handle)).json()["code"]).toBe("grant_dead");
  expect(kindsOf(await received())).toEqual(["created", "dead"]);
});

test("the link of an event opens nothing for another person", async () => {
  const handle = await allowedHandle(serve());
  endSession();
  await redeem(handle);
  const signInUrl = signInUrlOf((await received())[1]);
  const answer = await signInByLink(at, newBrowser(at), { link: pathOf(signInUrl), signed: { user: "bob" } });
  expect(answer.status).toBe(403);
  expect(kindsOf(await received())).toEqual(["created", "dead"]);
});

test("a grant of a user dies: an event without a link, because the user signs in at the application", async () => {
  serve();
  const form = exchangeForm(userToken(world), { scope: "User.Read offline_access" });
  const grant = String((await at.call("/oauth2/token", { form })).json()["refresh_token"]);
  endSession();
  await redeem(grant, bearer(userToken(world)));
  const [, dead] = await received();
  expect(dead).toMatchObject({ type: "graph-token-exchange.grant.dead", data: { clientId: CLIENT_IDS.web } });
  expect(dead?.["data"]).not.toHaveProperty("signInUrl");
});

test.each([
  ["its application", (token: string) => at.call("/oauth2/revoke", { form: { token }, headers: daemon() })],
  [
    "its person",
    (token: string) => at.call("/oauth2/revoke", { form: { token: idOf(token) }, headers: bearer(userToken(world)) }),
  ],
])("%s ends the grant: revoked, once", async (_who, revoke) => {
  const handle = await allowedHandle(serve());
  await revoke(handle);
  await revoke(handle);
  const events = await received();
  expect(kindsOf(events)).toEqual(["created", "revoked"]);
  expect(events[1]).toMatchObject({ subject: idOf(handle), data: { clientId: CLIENT_IDS.daemon } });
});

test("a grant that a newer one replaces at maxGrantsPerUser, by a link: revoked", async () => {
  const POLICY = policyWithEntries({ daemon: { maxGrantsPerUser: 1 } });
  const handle = await allowedHandle(serve({ POLICY, GRANT_TABLE_NAME: newTableName() }));
  await allowedHandle(at);
  const revoked = (await received()).filter((event) => kindsOf([event])[0] === "revoked");
  expect(revoked).toMatchObject([{ subject: idOf(handle), data: { reason: "replaced" } }]);
});

test("its person ends the grant on /me: revoked, once", async () => {
  const handle = await allowedHandle(serve());
  const browser = newBrowser(at);
  const request = entraRequest(await browser.open("/me"));
  await browser.open(callbackPath({ code: entraCode(at, request), state: request["state"] ?? "" }));
  const { token = "" } = hiddenFields((await browser.open("/me")).text);
  for (let times = 1; times <= 2; times += 1) {
    expect((await browser.submit("/me", { token, grant: idOf(handle), action: "end" })).status).toBe(200);
  }
  const events = await received();
  expect(kindsOf(events)).toEqual(["created", "revoked"]);
  expect(events[1]).toMatchObject({ subject: idOf(handle), data: { clientId: CLIENT_IDS.daemon } });
});

test("the person allows and then denies on the same page: created and revoked", async () => {
  const { link, handle } = await requestLink(serve());
  const browser = newBrowser(at);
  const back = await signInByLink(at, browser, { link });
  const fields = hiddenFields((await browser.open(back.headers.get("location") ?? "")).text);
  const headers = { cookie: cookiesOf(browser), "sec-fetch-site": "same-origin" };
  for (const decision of ["allow", "allow", "deny"]) {
    await at.call("/signin/confirm", { form: { ...fields, decision }, headers });
  }
  const events = await received();
  expect(kindsOf(events)).toEqual(["created", "revoked"]);
  expect(events.map(({ subject }) => subject)).toEqual([idOf(handle), idOf(handle)]);
});

test.each([
  ["demands a second factor", { aadsts: 50076, claims: '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}' }],
  ["throttles", { status: 429 }],
  ["fails", { status: 500, times: 0 }],
])("Entra %s: the grant is not dead, and there is no event", async (_what, order) => {
  const handle = await allowedHandle(serve());
  world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", ...order });
  expect((await redeem(handle)).status).not.toBe(200);
  expect(kindsOf(await received())).toEqual(["created"]);
});

test("the person denies the link: the handle ends, and no one learns of a grant", async () => {
  const { link } = await requestLink(serve());
  await answerLink(at, link, { decision: "deny" });
  expect(await received()).toEqual([]);
});

test("another caller presents the handle: one event an hour, which names the grant's own application", async () => {
  const handle = await allowedHandle(serve());
  const wrong = bearer(appToken(world));
  for (let call = 1; call <= 20; call += 1) {
    expect((await redeem(handle, wrong)).status).toBe(403);
  }
  const [, event, ...more] = await received();
  expect(more).toEqual([]);
  expect(event).toMatchObject({
    type: "graph-token-exchange.grant.presented_by_wrong_caller",
    subject: idOf(handle),
    data: { clientId: CLIENT_IDS.daemon, user: { objectId: USER_IDS.alice }, reason: "not_bound" },
  });
});

test("two instances see the same wrong caller: the same id within the hour, another one in the next", async () => {
  const handle = await allowedHandle(serve());
  const present = async () => {
    await redeem(handle, bearer(appToken(world)));
    return (await received()).at(-1)?.["id"];
  };
  const first = await present();
  serve();
  expect(await present()).toBe(first);
  expect(await received()).toHaveLength(3);
  clock.advance(60 * MINUTE);
  expect(await present()).not.toBe(first);
});

test("a stranger causes no event: without a token, or with a handle of no grant", async () => {
  const handle = await allowedHandle(serve());
  await received();
  for (const headers of [{}, bearer("eyJhbGciOiJSUzI1NiJ9.e30.AA")]) {
    expect((await at.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers })).status).toBe(401);
  }
  await redeem(`gte_${"A".repeat(43)}`, bearer(appToken(world)));
  expect(kindsOf(await received())).toEqual(["created"]);
});

test("no event contains a handle or a token, and no log line contains a link", async () => {
  const handle = await allowedHandle(serve());
  endSession();
  await redeem(handle);
  await redeem(handle, bearer(appToken(world)));
  await at.call("/oauth2/revoke", { form: { token: handle }, headers: daemon() });
  const text = JSON.stringify(await received());
  expect(text).not.toMatch(/gte_[\w-]{20}|eyJhbGciOiJSUzI1NiI|1\.A/);
  expect(text).not.toContain("Alice");
  expect(at.logs.join("\n")).not.toContain("/signin/");
});

test("a receiver that does not answer delays no request", async () => {
  serve();
  const unanswered: ServerResponse[] = [];
  receiver.answer = (response) => void unanswered.push(response);
  const handle = await allowedHandle(at);
  expect((await redeem(handle)).status).toBe(200);
  await vi.waitFor(() => expect(unanswered).toHaveLength(1));
  for (const response of unanswered) response.writeHead(204).end();
  expect(kindsOf(await received())).toEqual(["created"]);
});

test("without a receiver in the settings nothing is written", async () => {
  const before = await waiting();
  serve({ EVENT_GRID_TOPIC_ENDPOINT: undefined, EVENT_WEBHOOK_URL: undefined });
  await allowedHandle(at);
  expect(at.service.grantEvents).toBeUndefined();
  expect(await waiting()).toEqual(before);
});
