/**
 * Grants and time: what is told and what is kept must agree, whatever overtakes what. Each is an attack that a review made
 * work: a grant made after "that took too long", a yes after a no, a token after a revocation, more than a page has shown.
 */
import { afterEach, describe, expect, test, vi } from "vitest";
import { RESOURCE_URIS } from "../../local/tenant/directory/seed-ids.ts";
import type { OfflineAccess } from "../../shared/offline-access/offline-access.ts";
import { type Browser, cookiesOf, hiddenFields, leadsTo, newBrowser } from "../sign-in/support/browser.ts";
import {
  askedOfEntra,
  authorizePath,
  callbackPath,
  codeForm,
  createLink,
  entraCode,
  newPkce,
  push,
  redeem,
  signInByLink,
} from "../sign-in/support/sign-in.ts";
import { appToken, bearer, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
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

/** Holds one step of the keeper of grants until it is let go, so that something can overtake it. */
function hold<K extends "issue" | "issueConfirmed" | "redeemed">(step: K) {
  const keeper = service.service.exchangeContext.grants as { -readonly [M in keyof OfflineAccess]: OfflineAccess[M] };
  const original = keeper[step] as (...input: unknown[]) => Promise<unknown>;
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  keeper[step] = (async (...input: unknown[]) => {
    reached.resolve();
    await gate.promise;
    const outcome = await original(...input);
    done.resolve();
    return outcome;
  }) as OfflineAccess[K];
  return {
    reached: reached.promise,
    /** Resolves when the step has ended. */
    letGo: () => {
      gate.resolve();
      return done.promise;
    },
  };
}

/** The deadline of the request passes while the step is held. */
async function answerAtTheDeadline(held: ReturnType<typeof hold>, ask: () => Promise<Answer>): Promise<Answer> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const asked = ask();
  await held.reached;
  vi.advanceTimersByTime(PAST_THE_DEADLINE_MS);
  const answer = await asked;
  vi.useRealTimers();
  return answer;
}

async function toQuestion(): Promise<{ browser: Browser; fields: Record<string, string>; cookie: string }> {
  const browser = newBrowser(service);
  const link = await createLink(service, { apis: { graph: [], orders: [] } });
  const back = await signInByLink(service, browser, { link });
  const question = await browser.open(back.headers.get("location") ?? "");
  return { browser, fields: hiddenFields(question.text), cookie: cookiesOf(browser) };
}

/** The form as the browser sends it, with the cookie of before whatever was answered meanwhile. */
function submit({ fields, cookie }: { fields: Record<string, string>; cookie: string }, decision: "allow" | "deny") {
  const headers = { "sec-fetch-site": "same-origin", origin: "null", cookie };
  return service.call("/signin/confirm", { form: { ...fields, decision }, headers });
}

const lateEvents = () => service.events().filter(({ code }) => code === "after_deadline");

describe("whoever was told that it took too long has no grant lying about, and the trail says what became of it", () => {
  test("on-behalf-of", async () => {
    const before = await count(backend());
    const held = hold("issue");
    expect((await answerAtTheDeadline(held, onBehalfOf)).status).toBe(504);
    await held.letGo();
    expect(await count(backend())).toBe(before);
    expect(lateEvents()).toMatchObject([
      { grantMade: true, grantRevoked: true, grantId: expect.stringMatching(/^[0-9a-f]{64}$/), status: 504 },
    ]);
  });

  test("a confirmation; and the form sent again makes it after all", async () => {
    const question = await toQuestion();
    const before = await count(daemon());
    const held = hold("issueConfirmed");
    expect((await answerAtTheDeadline(held, () => submit(question, "allow"))).status).toBe(504);
    await held.letGo();
    expect(await count(daemon())).toBe(before);
    expect(lateEvents()).toMatchObject([{ route: "signin-confirm", grantMade: true, grantRevoked: true }]);
    expect((await submit(question, "allow")).text).toContain("gte_");
    expect(await count(daemon())).toBe(before + 1);
  });
});

describe("no means no", () => {
  test("while a yes is under way", async () => {
    const question = await toQuestion();
    const before = await count(daemon());
    const held = hold("issueConfirmed");
    const yes = submit(question, "allow");
    await held.reached;
    expect((await submit(question, "deny")).status).toBe(403);
    await held.letGo();
    expect((await yes).text).not.toContain("gte_");
    expect(await count(daemon())).toBe(before);
  });

  test("before a yes with the same cookie", async () => {
    const question = await toQuestion();
    const before = await count(daemon());
    await submit(question, "deny");
    const yes = await submit(question, "allow");
    expect(yes.status).toBe(400);
    expect(yes.text).not.toContain("gte_");
    expect(await count(daemon())).toBe(before);
  });
});

describe("revoked while Entra was asked: the token does not leave", () => {
  const info = () => Buffer.from(JSON.stringify({ uid: USER_IDS.alice, utid: world.tenant.state.tenantId }));
  const idToken = () =>
    Buffer.from(
      JSON.stringify({ tid: world.tenant.state.tenantId, oid: USER_IDS.alice, iss: world.tenant.url, acct: 0 }),
    );

  test.each<[string, number, boolean, boolean]>([
    ["a young grant", 0, false, false],
    ["a young grant, and a newer refresh token came", 0, false, true],
    ["an old grant", 30 * MINUTE, false, false],
    ["an old grant that was redeemed today", 30 * MINUTE, true, false],
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
    await held.letGo();
    const answer = await redeeming;
    expect(answer.json()).toMatchObject({ status: 403, code: "grant_invalid" });
    expect(answer.text).not.toContain("h.p.s");
  });
});

test("a code's grant has no more than the page has shown, though policy was widened and more was consented since", async () => {
  const pkce = newPkce();
  const browser = newBrowser(service);
  const pushed = await push(service, pkce, { scope: "User.Read offline_access" });
  const asked = askedOfEntra(await browser.open(authorizePath(pushed)));
  const state = asked["state"] ?? "";
  const back = await browser.open(callbackPath({ code: entraCode(service, asked), state }));
  const question = await browser.open(back.headers.get("location") ?? "");
  const shown = [...question.text.matchAll(/<li><code>([^<]*)<\/code>/g)].map(([, scope]) => scope);
  expect(shown.toSorted()).toEqual(["Mail.Read", "User.Read"]);
  const done = await browser.submit("/signin/confirm", { ...hiddenFields(question.text), decision: "allow" });
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

test("Entra throttles a further API: who was told to wait is not asked for again", async () => {
  world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", throttleSeconds: 70 });
  expect((await onBehalfOf()).status).toBe(429);
  const asked = world.tenant.state.requests({ endpoint: "token" }).length;
  expect((await onBehalfOf()).status).toBe(429);
  expect(world.tenant.state.requests({ endpoint: "token" })).toHaveLength(asked);
});

test("a public client where policy wants a confidential one gets no link from an expired grant either", async () => {
  const POLICY = policyWithEntries({ daemon: { apis: BOTH, requireConfidentialClient: true } });
  restart({ settings: { POLICY } });
  const done = await submit(await toQuestion(), "allow");
  const [grant = ""] = /gte_[\w-]{43}/.exec(done.text) ?? [];
  clock.advance(30 * DAY + MINUTE);
  const ask = (headers: Record<string, string>) =>
    service.call("/AuthorizationHeader/graph", { json: { grant }, headers });
  expect((await ask(daemon({ claims: { azpacr: "0" } }))).json()).not.toHaveProperty("signin_url");
  expect((await ask(daemon())).json()).toHaveProperty("signin_url");
});

test("what is too much of a further API is told of that API", async () => {
  world.tenant.state.addConsent({ user: "alice", resource: "orders", scopes: ["Orders.Write"] });
  const refused = await onBehalfOf();
  world.tenant.state.withdrawConsent({ user: "alice", resource: "orders", scopes: ["Orders.Write"] });
  expect(refused.json()).toMatchObject({ code: "scope_surplus" });
  expect(service.lastEvent()).toMatchObject({ api: "orders", reason: "surplus: Orders.Write" });
});
