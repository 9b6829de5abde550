/**
 * Guards whose loss no other test notices. Each test fails if its guard is taken away; `npm run mutate -- --guards` takes
 * them away one by one.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RESOURCE_URIS } from "../../local/tenant/directory/seed-ids.ts";
import { fail, succeed } from "../../shared/core/result.ts";
import { type Browser, cookiesOf, hiddenFields, newBrowser } from "../sign-in/support/browser.ts";
import {
  allowedHandle,
  authorizePath,
  callbackPath,
  entraCode,
  entraRequest,
  newPkce,
  push,
  requestLink,
  signInByLink,
} from "../sign-in/support/sign-in.ts";
import { appToken, bearer, clientAssertion, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { type FaultyProxy, startFaultyProxy } from "../support/faulty-proxy.ts";
import { DAY } from "../support/movable-clock.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { Answer, ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { orders: ORDERS } = RESOURCE_URIS;
const BOTH = { graph: ["User.Read", "Mail.Read"], orders: ["Orders.Read"] };
const { world, service } = useWorld({
  newServiceForEachTest: true,
  settings: { POLICY: policyWithEntries({ daemon: { apis: BOTH } }) },
});

const daemon = (changes: Parameters<typeof appToken>[1] = {}) =>
  bearer(appToken(world, { client: "daemon", ...changes }));
const under = (changes: Parameters<typeof policyWithEntries>[0]) =>
  service.another({ settings: { POLICY: policyWithEntries(changes) } });

/** From a pushed request to Entra: the request that the browser takes there. */
async function atEntra(browser: Browser, scope: string) {
  const departure = await browser.open(authorizePath(await push(service, newPkce(), { scope })));
  return entraRequest(departure);
}

/** The browser returns from Entra, to another instance. */
function returned(browser: Browser, request: Record<string, string>, at: ServiceUnderTest): Promise<Answer> {
  const path = callbackPath({ code: entraCode(service, request), state: request["state"] ?? "" });
  return at.call(path, { headers: { cookie: cookiesOf(browser) } });
}

async function confirmationPage(body: Record<string, unknown>) {
  const browser = newBrowser(service);
  const { link, handle } = await requestLink(service, body);
  const back = await signInByLink(service, browser, { link });
  const page = await browser.open(back.headers.get("location") ?? "");
  return { browser, page, handle };
}

function answerAt(at: ServiceUnderTest, { browser, page }: { browser: Browser; page: Answer }, decision: string) {
  const headers = { cookie: cookiesOf(browser), "sec-fetch-site": "same-origin", origin: "null" };
  return at.call("/signin/confirm", { form: { ...hiddenFields(page.text), decision }, headers });
}

describe("a scope that is taken out of the policy", () => {
  const NARROWER = { "web-users": { apis: { graph: ["User.Read"] } }, daemon: { apis: { graph: ["User.Read"] } } };

  test("does not leave through a grant that was issued with it", async () => {
    const form = exchangeForm(userToken(world), { scope: "User.Read Mail.Read offline_access" });
    const grant = String((await service.call("/oauth2/token", { form })).json()["refresh_token"]);
    const redeem = { grant_type: "refresh_token", refresh_token: grant, scope: "User.Read" };
    const answer = await under(NARROWER).call("/oauth2/token", { form: redeem, headers: bearer(userToken(world)) });
    expect(answer.json()).toMatchObject({ code: "scope_surplus" });
    expect(answer.json()).not.toHaveProperty("access_token");
  });

  test("does not become part of a grant whose page was open at that time", async () => {
    const open = await confirmationPage({ api: "graph", scopes: ["User.Read"] });
    const narrower = under(NARROWER);
    expect((await answerAt(narrower, open, "allow")).status).toBe(500);
    expect(narrower.lastEvent()).toMatchObject({ route: "signin-confirm", code: "scope_surplus" });
    const used = await service.call("/AuthorizationHeader/graph", { json: { grant: open.handle }, headers: daemon() });
    expect(used.json()).toMatchObject({ code: "grant_pending" });
  });
});

describe("while the table refuses to delete", () => {
  let proxy: FaultyProxy;
  let cut: ServiceUnderTest;
  beforeEach(async () => {
    proxy = await startFaultyProxy(world.tableUrl);
    proxy.fails = (method) => method === "DELETE";
    cut = service.another({ settings: { GRANT_STORE_URL: proxy.url } });
  });
  afterEach(() => proxy.stop());

  test("a revocation does not say that the grant is revoked", async () => {
    const grant = await allowedHandle(service);
    const answer = await cut.call("/oauth2/revoke", { form: { token: grant }, headers: daemon() });
    expect(answer.json()).toMatchObject({ code: "grant_store_unavailable", action: "retry" });
    const used = await service.call("/AuthorizationHeader/graph", { json: { grant }, headers: daemon() });
    expect(used.status).toBe(200);
  });

  test("a revocation of a handle that waits for its person does not say that it is revoked", async () => {
    const { handle } = await requestLink(service);
    const answer = await cut.call("/oauth2/revoke", { form: { token: handle }, headers: daemon() });
    expect(answer.json()).toMatchObject({ code: "grant_store_unavailable", action: "retry" });
  });

  test("the page does not say that no access was granted if the person denies", async () => {
    const open = await confirmationPage({ api: "graph" });
    const answer = await answerAt(cut, open, "deny");
    expect(answer.status).toBe(503);
    expect(answer.text).not.toContain("No access was granted");
  });

  test("the page does not say that no access was granted if the person denies after an approval", async () => {
    const open = await confirmationPage({ api: "graph" });
    expect((await answerAt(service, open, "allow")).status).toBe(200);
    const answer = await answerAt(cut, open, "deny");
    expect(answer.status).toBe(503);
    expect(answer.text).not.toContain("No access was granted");
  });
});

describe("the confirmation page shows every API, every scope and the end", () => {
  /** 30 days after the answer, which may come ten minutes from now. */
  const ends = () => [0, 660_000].map((ms) => new Date(world.clock.nowMs() + ms + 30 * DAY).toISOString().slice(0, 10));
  const shown = (page: Answer) => ({
    apis: [RESOURCE_URIS.graph, ORDERS].filter((resource) => page.text.includes(resource)),
    scopes: ["User.Read", "Mail.Read", "Orders.Read"].filter((scope) => page.text.includes(scope)),
  });
  const ALL = { apis: [RESOURCE_URIS.graph, ORDERS], scopes: ["User.Read", "Mail.Read", "Orders.Read"] };

  test("of a link", async () => {
    const { page } = await confirmationPage({ apis: { graph: [], orders: [] } });
    expect(shown(page)).toEqual(ALL);
    expect(ends()).toContain(/<time datetime="([^"]+)">/.exec(page.text)?.[1]);
  });

  test("of an application's sign-in", async () => {
    const browser = newBrowser(service);
    const request = await atEntra(browser, `User.Read ${ORDERS}/Orders.Read offline_access`);
    const back = await returned(browser, request, service);
    for (const { name, value } of back.cookies) browser.jar.set(name, value);
    const page = await browser.open(back.headers.get("location") ?? "");
    expect(shown(page)).toEqual(ALL);
    expect(ends()).toContain(/<time datetime="([^"]+)">/.exec(page.text)?.[1]);
  });
});

describe("policy decides again when the browser returns from Entra", () => {
  test("and no code goes to an address that it no longer lists", async () => {
    const browser = newBrowser(service);
    const request = await atEntra(browser, "User.Read Mail.Read");
    const changed = under({ "web-backend": { redirectUris: ["https://elsewhere.example/callback"] } });
    const back = await returned(browser, request, changed);
    expect(back.status).toBe(403);
    expect(back.headers.has("location")).toBe(false);
  });

  test("and Entra's code of a link is not redeemed for an application that may no longer have it", async () => {
    const browser = newBrowser(service);
    const { link } = await requestLink(service);
    const request = entraRequest(await browser.open(link));
    const before = world.tenant.state.requestCounts()["token"] ?? 0;
    const changed = under({ daemon: { unattended: false, offlineAccess: false } });
    const back = await returned(browser, request, changed);
    expect(back.status).toBe(403);
    expect(world.tenant.state.requestCounts()["token"] ?? 0).toBe(before);
  });
});

describe("while the sealing key cannot be read", () => {
  const WITHOUT_KEY = { kind: "dependency_failed", dependency: "key_vault", problem: "unavailable" } as const;

  test.each([
    ["without offline_access returns an error to the application, and no code", "User.Read Mail.Read", "codes"],
    [
      "with offline_access returns an error to the application, and no page",
      "User.Read offline_access",
      "confirmations",
    ],
  ] as const)("a sign-in %s", async (_title, scope, state) => {
    const browser = newBrowser(service);
    const request = await atEntra(browser, scope);
    const sealed = (await service.service.signInState.sealedState()) as unknown as Record<
      string,
      Record<string, unknown>
    >;
    const original = sealed[state]?.["seal"];
    Object.assign(sealed[state] ?? {}, { seal: async () => fail(WITHOUT_KEY) });
    const back = await returned(browser, request, service);
    Object.assign(sealed[state] ?? {}, { seal: original });
    const { searchParams } = new URL(back.headers.get("location") ?? "none:");
    expect(searchParams.get("error")).toBe("temporarily_unavailable");
    expect(searchParams.has("code")).toBe(false);
  });
});

test("a sign-in by link that is too large to seal ends on a page that says so", async () => {
  const browser = newBrowser(service);
  const { link } = await requestLink(service);
  const request = entraRequest(await browser.open(link));
  const sealed = (await service.service.signInState.sealedState()) as unknown as Record<string, object>;
  Object.assign(sealed["confirmations"] ?? {}, { seal: async () => fail({ kind: "state_invalid" }) });
  const back = await returned(browser, request, service);
  expect(back.status).toBe(400);
  expect(service.lastEvent()).toMatchObject({ route: "callback", code: "signin_too_large" });
});

describe("a grant for two APIs", () => {
  const scope = `User.Read ${ORDERS}/Orders.Read offline_access`;
  const issue = () => {
    const form = exchangeForm(userToken(world), { scope, audience: "graph" });
    return service.call("/oauth2/token", { form });
  };
  const sent = () =>
    world.tenant.state
      .requests({ endpoint: "token", grantType: "refresh_token" })
      .map(({ form }) => form?.["refresh_token"]);
  const redeem = async (grant: unknown) => {
    const form = { grant_type: "refresh_token", refresh_token: String(grant), audience: "graph" };
    return service.call("/oauth2/token", { form, headers: bearer(userToken(world)) });
  };

  test("has the newest refresh token, from the second API", async () => {
    const issued = (await issue()).json();
    expect((await redeem(issued["refresh_token"])).status).toBe(200);
    const [first, second] = sent();
    expect(second).not.toBe(first);
  });

  test("has the first refresh token if Entra returns none for the second API", async () => {
    const { tenantId } = world.tenant.state;
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const body = {
      token_type: "Bearer",
      expires_in: 3_600,
      access_token: "h.p.s",
      scope: `${ORDERS}/Orders.Read`,
      client_info: part({ uid: USER_IDS.alice, utid: tenantId }),
      id_token: `e30.${part({ tid: tenantId, oid: USER_IDS.alice, iss: world.tenant.url, acct: 0 })}.x`,
    };
    world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", status: 200, body });
    const issued = await issue();
    expect(issued.status).toBe(200);
    expect((await redeem(issued.json()["refresh_token"])).status).toBe(200);
    const [first, second] = sent();
    expect(second).toBe(first);
  });
});

test("a person of another tenant gets no confirmation page, even if Entra returned a token", async () => {
  const browser = newBrowser(service);
  const { link } = await requestLink(service);
  const request = entraRequest(await browser.open(link));
  const registration = service.service.registrations.default;
  const entra = await registration.entra();
  const original = entra.redeemCode.bind(entra);
  const tenantId = "c0ffee00-1111-4222-8333-444455556666";
  Object.assign(entra, {
    redeemCode: async (code: Parameters<typeof original>[0]) => {
      const redeemed = await original(code);
      if (!redeemed.ok) return redeemed;
      return succeed({ ...redeemed.value, user: { tenantId, objectId: USER_IDS.alice } });
    },
  });
  const back = await returned(browser, request, service);
  expect(back.status).toBe(403);
  expect(service.lastEvent()).toMatchObject({ route: "callback", code: "signin_wrong_user" });
});

describe("requireConfidentialClient", () => {
  const CONFIDENTIAL = { daemon: { requireConfidentialClient: true } };
  const isPublic = () => daemon({ claims: { azpacr: "0" } });

  test("refuses a link to a client without credential", async () => {
    const json = { api: "graph", expectedUser: USER_IDS.alice };
    const strict = under(CONFIDENTIAL);
    const refused = await strict.call("/signin/links", { json, headers: isPublic() });
    expect(refused.json()).toMatchObject({ status: 403, code: "public_client" });
    expect((await strict.call("/signin/links", { json, headers: daemon() })).status).toBe(201);
  });

  test("offers no link to a client without credential when its grant waits for its person", async () => {
    const { handle } = await requestLink(service);
    const redeem = (headers: Record<string, string>) =>
      under(CONFIDENTIAL).call("/AuthorizationHeader/graph", { json: { grant: handle }, headers });
    expect((await redeem(daemon())).json()).toMatchObject({ code: "grant_pending", signin_url: expect.any(String) });
    const refused = (await redeem(isPublic())).json();
    expect(refused).toMatchObject({ code: "grant_pending" });
    expect(refused).not.toHaveProperty("signin_url");
  });
});

describe("an Authorization header that does not count, beside a good client_assertion", () => {
  test.each([
    ["with the Basic scheme", "Basic aWQ6c2VjcmV0", "client_secret_not_accepted"],
    ["with a malformed token", "Bearer a b", "authorization_malformed"],
  ])("%s is refused", async (_title, authorization, problem) => {
    const form = exchangeForm(userToken(world), clientAssertion(appToken(world)));
    expect((await service.call("/oauth2/token", { form })).status).toBe(200);
    const answer = await service.call("/oauth2/token", { form, headers: { authorization } });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.json()).toMatchObject({ code: problem });
  });
});

describe("a claims challenge of Entra", () => {
  const challenge = (length: number) => `{"access_token":{"acrs":{"value":"${"c".repeat(length)}"}}}`;

  test.each([
    ["of 1,024 bytes is in the link", 1_024, true],
    ["of 1,025 bytes is too long for a URL, so the refusal has no link", 1_025, false],
  ])("%s", async (_title, bytes, hasLink) => {
    const grant = await allowedHandle(service);
    const claims = challenge(bytes - challenge(0).length);
    world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", aadsts: 50076, claims });
    const json = { grant, forceRefresh: true };
    const answer = await service.call("/AuthorizationHeader/graph", { json, headers: daemon() });
    expect(answer.json()).toMatchObject({ code: "interaction_required" });
    expect("signin_url" in answer.json()).toBe(hasLink);
  });
});
