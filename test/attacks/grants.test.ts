/**
 * Races around grants. Each test is an attack that a review found: a grant after a 504, an approval after a denial, a token
 * after a revocation, and a grant for more scopes than the page showed.
 */
import { afterEach, describe, expect, test, vi } from "vitest";
import { RESOURCE_URIS } from "../../local/tenant/directory/seed-ids.ts";
import type { OfflineAccess } from "../../shared/offline-access/offline-access.ts";
import { type Browser, cookiesOf, hiddenFields, leadsTo, newBrowser } from "../sign-in/support/browser.ts";
import {
  authorizePath,
  callbackPath,
  codeForm,
  entraCode,
  entraRequest,
  newPkce,
  push,
  redeem,
  requestLink,
  signInByLink,
} from "../sign-in/support/sign-in.ts";
import { appToken, bearer, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { startFaultyProxy } from "../support/faulty-proxy.ts";
import { DAY, MINUTE } from "../support/movable-clock.ts";
import { policyWith, policyWithEntries } from "../support/policies.ts";
import type { Answer } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { graph: GRAPH, orders: ORDERS } = RESOURCE_URIS;
const BOTH = { graph: ["User.Read", "Mail.Read"], orders: ["Orders.Read"] };
const PAST_THE_DEADLINE_MS = 10_001;

const { world, clock, service, restart } = useWorld({
  newServiceForEachTest: true,
  settings: { POLICY: policyWithEntries({ daemon: { apis: BOTH } }) },
});
afterEach(() => {
  vi.useRealTimers();
});

const backend = () => bearer(appToken(world));
const daemon = (changes: Parameters<typeof appToken>[1] = {}) =>
  bearer(appToken(world, { client: "daemon", ...changes }));

function onBehalfOf(): Promise<Answer> {
  const scope = `User.Read Mail.Read ${ORDERS}/Orders.Read offline_access`;
  const form = exchangeForm(userToken(world), { audience: "graph", scope });
  return service.call("/oauth2/token", { form, headers: backend() });
}

async function count(headers: Record<string, string>): Promise<number> {
  const page = await service.call("/grants", { headers });
  return (page.json()["grants"] as unknown[]).length;
}

/** Holds one method of `OfflineAccess` until `release`, so that another request can finish first. */
function hold<K extends "issue" | "allow" | "redeemed">(step: K) {
  const grants = service.service.exchangeContext.grants as { -readonly [M in keyof OfflineAccess]: OfflineAccess[M] };
  const original = grants[step] as (...input: unknown[]) => Promise<unknown>;
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  grants[step] = (async (...input: unknown[]) => {
    reached.resolve();
    await gate.promise;
    const outcome = await original(...input);
    done.resolve();
    return outcome;
  }) as OfflineAccess[K];
  return {
    reached: reached.promise,
    /** Lets the method run. Resolves when it has finished. */
    release: () => {
      gate.resolve();
      return done.promise;
    },
  };
}

/** The response of a request whose deadline passes while the method is held. */
async function answerAtTheDeadline(held: ReturnType<typeof hold>, send: () => Promise<Answer>): Promise<Answer> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const sent = send();
  await held.reached;
  vi.advanceTimersByTime(PAST_THE_DEADLINE_MS);
  const answer = await sent;
  vi.useRealTimers();
  return answer;
}

interface OpenPage {
  readonly browser: Browser;
  readonly fields: Record<string, string>;
  readonly cookie: string;
  readonly handle: string;
}

async function toConfirmationPage(): Promise<OpenPage> {
  const browser = newBrowser(service);
  const { link, handle } = await requestLink(service, { apis: { graph: [], orders: [] } });
  const back = await signInByLink(service, browser, { link });
  const page = await browser.open(back.headers.get("location") ?? "");
  return { browser, fields: hiddenFields(page.text), cookie: cookiesOf(browser), handle };
}

/** Submits the form with the cookie that the browser had when the page was loaded. */
function submit({ fields, cookie }: { fields: Record<string, string>; cookie: string }, decision: "allow" | "deny") {
  const headers = { "sec-fetch-site": "same-origin", origin: "null", cookie };
  return service.call("/signin/confirm", { form: { ...fields, decision }, headers });
}

const lateEvents = () => service.events().filter(({ code }) => code === "after_deadline");

describe("after the caller got 504, a grant", () => {
  test("of the on-behalf-of flow is revoked and audited", async () => {
    const before = await count(backend());
    const held = hold("issue");
    expect((await answerAtTheDeadline(held, onBehalfOf)).status).toBe(504);
    await held.release();
    expect(await count(backend())).toBe(before);
    expect(lateEvents()).toMatchObject([
      { grantMade: true, grantRevoked: true, grantId: expect.stringMatching(/^[0-9a-f]{64}$/), status: 504 },
    ]);
  });

  test("of a confirmation is undone and audited, and sending the form again allows it again", async () => {
    const page = await toConfirmationPage();
    const before = await count(daemon());
    const held = hold("allow");
    expect((await answerAtTheDeadline(held, () => submit(page, "allow"))).status).toBe(504);
    await held.release();
    expect(await count(daemon())).toBe(before);
    const early = await service.call("/AuthorizationHeader/graph", { json: { grant: page.handle }, headers: daemon() });
    expect(early.json()).toMatchObject({ code: "grant_pending" });
    expect(lateEvents()).toMatchObject([{ route: "signin-confirm", grantMade: true, grantRevoked: true }]);
    expect((await submit(page, "allow")).status).toBe(200);
    expect(await count(daemon())).toBe(before + 1);
  });
});

describe("after a denial, an approval of the same sign-in", () => {
  test("creates no grant, even if it is being processed", async () => {
    const page = await toConfirmationPage();
    const before = await count(daemon());
    const held = hold("allow");
    const approval = submit(page, "allow");
    await held.reached;
    expect((await submit(page, "deny")).status).toBe(403);
    await held.release();
    expect((await approval).text).toContain("This access has been ended");
    expect(await count(daemon())).toBe(before);
  });

  test("with the same cookie is refused and creates no grant", async () => {
    const page = await toConfirmationPage();
    const before = await count(daemon());
    await submit(page, "deny");
    const approval = await submit(page, "allow");
    expect(approval.status).toBe(400);
    expect(approval.text).toContain("This access has been ended");
    expect(await count(daemon())).toBe(before);
  });
});

describe("no token is released if a grant is revoked during the call to Entra", () => {
  const info = () => Buffer.from(JSON.stringify({ uid: USER_IDS.alice, utid: world.tenant.state.tenantId }));
  const idToken = () =>
    Buffer.from(
      JSON.stringify({ tid: world.tenant.state.tenantId, oid: USER_IDS.alice, iss: world.tenant.url, acct: 0 }),
    );

  test.each<[string, number, boolean, boolean]>([
    ["for a new grant", 0, false, false],
    ["for a new grant if Entra returns a new refresh token", 0, false, true],
    ["for an old grant", 30 * MINUTE, false, false],
    ["for an old grant that was redeemed on the same day", 30 * MINUTE, true, false],
  ])("%s", async (_name, age, redeemedToday, newer) => {
    const grant = String((await onBehalfOf()).json()["refresh_token"]);
    clock.advance(age);
    if (redeemedToday) {
      await service.call("/AuthorizationHeader/graph", { json: { grant }, headers: backend() });
    }
    const body = {
      token_type: "Bearer",
      expires_in: 3_600,
      access_token: "h.p.s",
      scope: `${GRAPH}/User.Read`,
      client_info: info().toString("base64url"),
      id_token: `e30.${idToken().toString("base64url")}.x`,
      ...(newer ? { refresh_token: "newer" } : {}),
    };
    world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", status: 200, body });
    const held = hold("redeemed");
    const json = { grant, forceRefresh: true };
    const redeeming = service.call("/AuthorizationHeader/graph", { json, headers: backend() });
    await held.reached;
    const revoked = await service.call("/oauth2/revoke", { form: { token: grant }, headers: backend() });
    expect(revoked.json()).toEqual({ revoked: true });
    await held.release();
    const answer = await redeeming;
    expect(answer.json()).toMatchObject({ status: 403, code: "grant_invalid" });
    expect(answer.text).not.toContain("h.p.s");
  });

  test("and the table fails before the service can read the grant again", async () => {
    const proxy = await startFaultyProxy(world.tableUrl);
    const instance = service.another({ settings: { GRANT_STORE_URL: proxy.url } });
    const grant = String((await onBehalfOf()).json()["refresh_token"]);
    const { state } = world.tenant;
    const order = state.order({ endpoint: "token", grantType: "refresh_token", hold: true, times: 1 });
    const redeeming = instance.call("/AuthorizationHeader/graph", { json: { grant }, headers: backend() });
    await state.orders.hit(order, 1);
    const revoked = await service.call("/oauth2/revoke", { form: { token: grant }, headers: backend() });
    expect(revoked.json()).toEqual({ revoked: true });
    proxy.fails = () => true;
    state.releaseOrder({ id: order });
    const answer = await redeeming;
    await proxy.stop();
    expect(answer.json()).toMatchObject({ status: 503, code: "grant_store_unavailable", action: "retry" });
    expect(answer.text).not.toContain("Bearer");
  });
});

test("a token is released although its rotation cannot be stored, because the grant exists and its refresh token works", async () => {
  const proxy = await startFaultyProxy(world.tableUrl);
  const instance = service.another({ settings: { GRANT_STORE_URL: proxy.url } });
  const grant = String((await onBehalfOf()).json()["refresh_token"]);
  proxy.fails = (method) => method !== "GET";
  const answer = await instance.call("/AuthorizationHeader/graph", { json: { grant }, headers: backend() });
  await proxy.stop();
  expect(answer.status).toBe(200);
  expect(instance.logs.join("\n")).toContain('"name":"rotation_lost"');
});

test("the grant of a code has only the scopes of the confirmation page, even if policy and consent allow more by then", async () => {
  const pkce = newPkce();
  const browser = newBrowser(service);
  const pushed = await push(service, pkce, { scope: "User.Read offline_access" });
  const atEntra = entraRequest(await browser.open(authorizePath(pushed)));
  const state = atEntra["state"] ?? "";
  const back = await browser.open(callbackPath({ code: entraCode(service, atEntra), state }));
  const page = await browser.open(back.headers.get("location") ?? "");
  const shown = [...page.text.matchAll(/<li>(?:[^<]* )?<code[^>]*>([^<]*)<\/code>/g)].map(([, scope]) => scope);
  expect(shown.toSorted()).toEqual(["Mail.Read", "User.Read"]);
  const done = await browser.submit("/signin/confirm", { ...hiddenFields(page.text), decision: "allow" });
  const code = new URL(leadsTo(done.text)).searchParams.get("code") ?? "";

  const POLICY = policyWith(({ apis, callers }) => {
    const wider = ["User.Read", "Mail.Read", "Files.Read"];
    Object.assign(apis["graph"] ?? {}, { scopes: [...wider, ".default"] });
    const web = callers.find(({ name }) => name === "web-backend") ?? {};
    Object.assign(web, { apis: { graph: wider, orders: ["Orders.Read"] }, acceptSurplus: true });
  });
  world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
  const widened = service.another({ settings: { POLICY } });
  const before = await count(backend());
  const redeemed = await redeem(widened, codeForm(code, pkce));
  world.tenant.state.withdrawConsent({ user: "alice", scopes: ["Files.Read"] });
  expect(redeemed.json()).toMatchObject({ error: "server_error", code: "scope_surplus" });
  expect(await count(backend())).toBe(before);
});

test("after Entra throttles the second API of a request, the same request is answered with 429 without a call to Entra", async () => {
  world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", throttleSeconds: 70 });
  expect((await onBehalfOf()).status).toBe(429);
  const sent = world.tenant.state.requests({ endpoint: "token" }).length;
  expect((await onBehalfOf()).status).toBe(429);
  expect(world.tenant.state.requests({ endpoint: "token" })).toHaveLength(sent);
});

test("a public client gets no sign-in link for an expired grant if policy requires a confidential client", async () => {
  const POLICY = policyWithEntries({ daemon: { apis: BOTH, requireConfidentialClient: true } });
  restart({ settings: { POLICY } });
  const page = await toConfirmationPage();
  expect((await submit(page, "allow")).status).toBe(200);
  const { handle: grant } = page;
  clock.advance(30 * DAY + MINUTE);
  const redeemGrant = (headers: Record<string, string>) =>
    service.call("/AuthorizationHeader/graph", { json: { grant }, headers });
  expect((await redeemGrant(daemon({ claims: { azpacr: "0" } }))).json()).not.toHaveProperty("signin_url");
  expect((await redeemGrant(daemon())).json()).toHaveProperty("signin_url");
});

test("the audit event for surplus scopes of the second API names that API", async () => {
  world.tenant.state.addConsent({ user: "alice", resource: "orders", scopes: ["Orders.Write"] });
  const refused = await onBehalfOf();
  world.tenant.state.withdrawConsent({ user: "alice", resource: "orders", scopes: ["Orders.Write"] });
  expect(refused.json()).toMatchObject({ code: "scope_surplus" });
  expect(service.lastEvent()).toMatchObject({ api: "orders", reason: "surplus: Orders.Write" });
});
