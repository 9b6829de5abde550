/**
 * One grant for several APIs: issued in every way that issues grants, redeemed for each API, and never for more scopes
 * than granted. Entra's refresh token serves every consented API (E-90), but a token is for one API (E-93).
 */
import { afterEach, describe, expect, test } from "vitest";
import { CLIENT_IDS, RESOURCE_URIS } from "../../local/tenant/directory/seed-ids.ts";
import { hiddenFields, newBrowser } from "../sign-in/support/browser.ts";
import { codeForClient, codeForm, newPkce, redeem, requestLink, signInByLink } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, claimsOf, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { Answer } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const GRAPH = RESOURCE_URIS.graph;
const ORDERS = RESOURCE_URIS.orders;
const BOTH = { graph: ["User.Read", "Mail.Read"], orders: ["Orders.Read"] };

const { world, clock, service } = useWorld({
  newServiceForEachTest: true,
  settings: { POLICY: policyWithEntries({ daemon: { apis: BOTH } }) },
});
afterEach(() => {
  world.tenant.state.addConsent({ user: "alice", resource: "orders", scopes: ["Orders.Read"] });
});

const backend = () => bearer(appToken(world));
const daemon = () => bearer(appToken(world, { client: "daemon" }));

/** The backend exchanges Alice's token for Graph and requests a grant for Graph and Orders. */
function onBehalfOf(changes: Record<string, string> = {}, headers = backend()): Promise<Answer> {
  const scope = `User.Read Mail.Read ${ORDERS}/Orders.Read offline_access`;
  const form = exchangeForm(userToken(world), { audience: "graph", scope, ...changes });
  return service.call("/oauth2/token", { form, headers });
}

const header = (api: string, grant: string, headers = backend()) =>
  service.call(`/AuthorizationHeader/${api}`, { json: { grant }, headers });

async function newest(headers: Record<string, string>): Promise<Record<string, unknown>> {
  const page = await service.call("/grants", { headers });
  return (page.json()["grants"] as Record<string, unknown>[])[0] ?? {};
}

/** The audience of the released token. */
const audienceOf = (answer: Answer) => claimsOf(String(answer.json()["authorizationHeader"]).slice(7))["aud"];

async function expectBoth(grant: string, headers = backend()): Promise<void> {
  const [graph, orders] = await Promise.all([header("graph", grant, headers), header("orders", grant, headers)]);
  expect([graph.status, orders.status]).toEqual([200, 200]);
  expect([audienceOf(graph), audienceOf(orders)]).toEqual([GRAPH, CLIENT_IDS.orders]);
  expect([(graph.json()["scopes"] as string[]).toSorted(), orders.json()["scopes"]]).toEqual([
    ["Mail.Read", "User.Read"],
    ["Orders.Read"],
  ]);
}

describe("a grant for two APIs from a user's token", () => {
  test("the token is for the requested API, and the grant and GET /grants name both", async () => {
    const made = await onBehalfOf();
    expect(made.json()).toMatchObject({ scope: expect.not.stringContaining("Orders") });
    expect(claimsOf(String(made.json()["access_token"]))["aud"]).toBe(GRAPH);
    expect(service.lastEvent()).toMatchObject({
      api: "graph",
      scopesAsked: ["Mail.Read", "User.Read"],
      alsoAsked: { orders: ["Orders.Read"] },
      alsoReturned: { orders: ["Orders.Read"] },
      grantMade: true,
    });
    await expectBoth(String(made.json()["refresh_token"]), backend());
    expect(await newest(backend())).toMatchObject({
      apis: { graph: ["Mail.Read", "User.Read"], orders: ["Orders.Read"] },
    });
  });

  test("POST /oauth2/token redeems it for the first API or a named one, not for a third or for both at once", async () => {
    const grant = String((await onBehalfOf()).json()["refresh_token"]);
    const redeemFor = (more: Record<string, string>) =>
      redeem(service, { grant_type: "refresh_token", refresh_token: grant, ...more });
    expect(claimsOf(String((await redeemFor({})).json()["access_token"]))["aud"]).toBe(GRAPH);
    expect(claimsOf(String((await redeemFor({ resource: ORDERS })).json()["access_token"]))["aud"]).toBe(
      CLIENT_IDS.orders,
    );
    expect((await redeemFor({ audience: "nothing" })).json()).toMatchObject({ error: "invalid_target" });
    expect((await redeemFor({ scope: `${GRAPH}/User.Read ${ORDERS}/Orders.Read` })).json()).toMatchObject({
      error: "invalid_target",
    });
  });

  test("a redemption makes one call to Entra and is recorded in GET /grants", async () => {
    const grant = String((await onBehalfOf()).json()["refresh_token"]);
    world.tenant.state.clearLog();
    await header("graph", grant);
    const sent = world.tenant.state.requests({ endpoint: "token", grantType: "refresh_token" });
    expect(sent).toHaveLength(1);
    const listed = await newest(backend());
    expect(listed["lastRedeemedOn"]).toBeDefined();
  });

  test("without consent for one API no grant is stored, and the answer says consent_required", async () => {
    world.tenant.state.withdrawConsent({ user: "alice", resource: "orders", scopes: ["Orders.Read"] });
    const before = await newest(backend());
    const refused = await onBehalfOf();
    expect(refused.status).toBe(400);
    expect(refused.json()).toMatchObject({ error: "invalid_grant", suberror: "consent_required" });
    expect(await newest(backend())).toEqual(before);
  });

  test("more consented scopes for one API than the policy allows: no grant is stored and no token released", async () => {
    world.tenant.state.addConsent({ user: "alice", resource: "orders", scopes: ["Orders.Write"] });
    const before = await newest(backend());
    const refused = await onBehalfOf();
    world.tenant.state.withdrawConsent({ user: "alice", resource: "orders", scopes: ["Orders.Write"] });
    expect(refused.json()).toMatchObject({ error: "server_error", code: "scope_surplus" });
    expect(refused.text).not.toContain("access_token");
    expect(await newest(backend())).toEqual(before);
  });

  test("Entra throttles the call for the second API: 429 with its Retry-After, and no grant is stored", async () => {
    world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", throttleSeconds: 7 });
    const before = await newest(backend());
    const refused = await onBehalfOf();
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "7"]);
    expect(await newest(backend())).toEqual(before);
  });
});

describe("Entra's answer for the second API is invalid", () => {
  const order = (body: Record<string, unknown>) =>
    world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", status: 200, body });
  const info = (oid: string) =>
    Buffer.from(JSON.stringify({ uid: oid, utid: world.tenant.state.tenantId })).toString("base64url");
  const token = { token_type: "Bearer", expires_in: 3600, access_token: "h.p.s", scope: `${ORDERS}/Orders.Read` };

  test.each<[string, () => Record<string, unknown>]>([
    ["it names another user", () => ({ ...token, refresh_token: "bobs", client_info: info(USER_IDS.bob) })],
    ["it names no user", () => token],
    ["it contains no token", () => ({ token_type: "Bearer" })],
  ])("%s: 502, and no grant is stored", async (_name, body) => {
    order(body());
    const before = await newest(backend());
    const refused = await onBehalfOf();
    expect(refused.json()).toMatchObject({ error: "server_error", code: "entra_answer_invalid" });
    expect(refused.status).toBe(502);
    expect(await newest(backend())).toEqual(before);
  });
});

describe("a grant for two APIs from a sign-in link", () => {
  test("the user sees the scopes of both APIs, and the application can redeem both", async () => {
    const { link, handle } = await requestLink(service, {
      apis: { graph: ["User.Read", "Mail.Read"], orders: [] },
    });
    const browser = newBrowser(service);
    const back = await signInByLink(service, browser, { link });
    const question = await browser.open(back.headers.get("location") ?? "");
    const shown = [...question.text.matchAll(/<li>(?:[^<]* )?<code[^>]*>([^<]*)<\/code>/g)].map(([, scope]) => scope);
    expect(shown).toEqual(["Mail.Read", "User.Read", "Orders.Read"]);
    const done = await browser.submit("/signin/confirm", { ...hiddenFields(question.text), decision: "allow" });
    expect(done.status).toBe(200);
    await expectBoth(handle, daemon());
  });

  test("after Entra ended it, the answer has a sign-in link for both", async () => {
    const expectedUser = USER_IDS.bob;
    const { link, handle } = await requestLink(service, { apis: { graph: [], orders: [] }, expectedUser });
    const browser = newBrowser(service);
    const back = await signInByLink(service, browser, { link, signed: { user: "bob" } });
    const question = await browser.open(back.headers.get("location") ?? "");
    await browser.submit("/signin/confirm", { ...hiddenFields(question.text), decision: "allow" });
    clock.advance(1_000);
    world.tenant.state.revokeSessions({ user: "bob" });
    clock.advance(1_000);
    const refused = await header("orders", handle, daemon());
    expect(refused.json()).toMatchObject({ action: "sign_in" });
    const again = newBrowser(service);
    const departure = await again.open(new URL(String(refused.json()["signin_url"])).pathname);
    const requested = new URL(departure.headers.get("location") ?? "").searchParams.get("scope")?.split(" ") ?? [];
    expect(requested).toEqual(
      expect.arrayContaining([`${GRAPH}/User.Read`, `${GRAPH}/Mail.Read`, `${ORDERS}/Orders.Read`]),
    );
  });
});

describe("a grant for two APIs from an authorization code", () => {
  test("the pushed request names both APIs, and the token request names one for its token", async () => {
    const pkce = newPkce();
    const changes = { audience: undefined, scope: `${GRAPH}/User.Read ${ORDERS}/Orders.Read offline_access` };
    const browser = newBrowser(service);
    const { code } = await codeForClient(service, browser, { pkce, changes });
    const token = await redeem(service, codeForm(code, pkce, { resource: ORDERS }));
    expect(token.status).toBe(200);
    expect(claimsOf(String(token.json()["access_token"]))["aud"]).toBe(CLIENT_IDS.orders);
    expect(await newest(backend())).toMatchObject({
      apis: { orders: ["Orders.Read"], graph: ["Mail.Read", "User.Read"] },
    });
    await expectBoth(String(token.json()["refresh_token"]), backend());
  });
});
