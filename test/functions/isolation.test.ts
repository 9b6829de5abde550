/**
 * Callers beside each other: one user's trouble is nobody else's, no user ever gets another's token, identical wishes
 * share one call, a token never outlives the right to it, and Entra may change its keys at any moment.
 */
import { describe, expect, test } from "vitest";
import { appToken, bearer, CLIENT_IDS, claimsOf, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { DAY, MINUTE } from "../support/movable-clock.ts";
import type { Answer } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, clock, service } = useWorld({ newServiceForEachTest: true });

const header = (token: string, at = service) => at.call("/AuthorizationHeader/graph", { headers: bearer(token) });
const tokenIn = (answer: Answer) => String(answer.json()["authorizationHeader"]).slice("Bearer ".length);
const tokenRequests = () => world.tenant.state.requestCounts()["token"] ?? 0;
const alice = (more = {}) => userToken(world, { user: "alice", ...more });
const bob = (more = {}) => userToken(world, { user: "bob", ...more });

describe("one user's trouble (TC-20)", () => {
  test.each([
    ["503", { status: 503, body: "", headers: { "Retry-After": "60" } }, 503],
    ["503 without Retry-After", { aadsts: 90033 }, 503],
    ["a refusal with Retry-After", { aadsts: 65001, headers: { "Retry-After": "60" } }, 403],
    ["nonsense", { status: 200, body: "" }, 502],
  ])("%s for alice is not bob's, nor alice's next", async (_title, order, status) => {
    world.tenant.state.order({ endpoint: "token", user: "alice", times: 3, ...order });
    for (let round = 0; round < 3; round++) {
      const [hers, his] = await Promise.all([header(alice()), header(bob())]);
      expect([hers.status, his.status]).toEqual([status, 200]);
    }
    expect((await header(alice())).status).toBe(200);
  });

  test("broken connections for alice are not bob's, nor alice's next", async () => {
    const { state } = world.tenant;
    const order = state.order({ endpoint: "token", user: "alice", times: 0, drop: true });
    for (let round = 0; round < 3; round++) {
      const [hers, his] = await Promise.all([header(alice()), header(bob())]);
      expect([hers.status, his.status]).toEqual([503, 200]);
    }
    state.clearOrders({ id: order });
    expect((await header(alice())).status).toBe(200);
  });

  test.each([
    ["429 as plain text", { throttleSeconds: 60 }],
    ["429 in JSON", { aadsts: 90055, headers: { "Retry-After": "60" } }],
    ["a request loop (50196)", { aadsts: 50196, headers: { "Retry-After": "60" } }],
  ])("%s for alice is hers alone, and Entra is left in peace until she may ask again", async (_title, order) => {
    const { state } = world.tenant;
    state.order({ endpoint: "token", user: "alice", ...order });
    for (let round = 0; round < 3; round++) {
      const [hers, his] = await Promise.all([header(alice()), header(bob())]);
      expect([hers.status, his.status]).toEqual([429, 200]);
      // The seconds that have passed, and no more than a few for a slow machine.
      const wait = Number(hers.headers.get("retry-after"));
      expect(wait).toBeLessThanOrEqual(60 - 10 * round);
      expect(wait).toBeGreaterThan(45 - 10 * round);
      clock.advance(10_000);
    }
    expect(state.requests({ endpoint: "token", user: USER_IDS.alice })).toHaveLength(1);
    clock.advance(MINUTE);
    expect((await header(alice())).status).toBe(200);
  });

  test("a failure is not kept: the same token asked again is asked of Entra again", async () => {
    const token = alice();
    world.tenant.state.order({ endpoint: "token", user: "alice", aadsts: 65001 });
    expect((await header(token)).status).toBe(403);
    expect((await header(token)).status).toBe(200);
  });

  test("alice waits, bob does not wait for her", async () => {
    const { state } = world.tenant;
    const order = state.order({ endpoint: "token", user: "alice", hold: true });
    const hers = header(alice());
    await state.orders.hit(order);
    const his = await Promise.all(Array.from({ length: 20 }, () => header(bob())));
    expect(new Set(his.map(({ status }) => status))).toEqual(new Set([200]));
    state.releaseOrder({ id: order });
    expect((await hers).status).toBe(200);
  });
});

describe("identical wishes", () => {
  test("two hundred at once: one call, one token", async () => {
    const { state } = world.tenant;
    const token = alice();
    const order = state.order({ endpoint: "token", client: "service", hold: true, times: 0 });
    const all = Array.from({ length: 200 }, () => header(token));
    await service.lookUps(200);
    state.releaseOrder({ id: order });
    expect(new Set((await Promise.all(all)).map(tokenIn)).size).toBe(1);
    expect(tokenRequests()).toBe(1);
    expect(state.requestCounts()["jwks"]).toBe(1);
  });

  test("in another order of scopes, by another route, by another way to present: still one", async () => {
    const token = alice();
    const first = tokenIn(await header(token));
    const others = [
      service.call("/AuthorizationHeader/graph", {
        headers: bearer(token),
        json: { scopes: ["User.Read", "Mail.Read"] },
      }),
      service.call("/AuthorizationHeader/graph", {
        headers: bearer(token),
        json: { scopes: ["Mail.Read", "User.Read", "User.Read"] },
      }),
    ];
    for (const answer of await Promise.all(others)) {
      expect(tokenIn(answer)).toBe(first);
    }
    const oauth = await service.call("/oauth2/token", { form: exchangeForm(token) });
    expect(oauth.json()["access_token"]).toBe(first);
    expect(tokenRequests()).toBe(1);
  });

  test("fewer scopes are another wish", async () => {
    const token = alice();
    await header(token);
    await service.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { scopes: ["Mail.Read"] } });
    expect(tokenRequests()).toBe(2);
  });

  test("the application of a subject shares the subject's token: whose it is decides, not who asks", async () => {
    const token = alice();
    await header(token);
    const answer = await service.call("/oauth2/token", { form: exchangeForm(token), headers: bearer(appToken(world)) });
    expect(claimsOf(String(answer.json()["access_token"]))).toMatchObject({ oid: USER_IDS.alice });
    expect(tokenRequests()).toBe(1);
  });
});

describe("two users never share (SEC-9)", () => {
  test("a hundred requests of four people in any order: each gets its own", async () => {
    const people = [alice, bob].flatMap((who) => [who(), who({ client: "public" })]);
    const all = Array.from({ length: 100 }, (_, index) => people[(index * 7) % people.length] ?? "");
    const answers = await Promise.all(all.map((token) => header(token)));
    for (const [index, answer] of answers.entries()) {
      expect(claimsOf(tokenIn(answer))["oid"]).toBe(claimsOf(all[index] ?? "")["oid"]);
    }
    expect(tokenRequests()).toBe(4);
  });

  test("everything the same but the user: uti, times, client, session", async () => {
    const hers = alice({ claims: { uti: "same", iat: 1, nbf: 1 } });
    const twin: Record<string, unknown> = { ...claimsOf(alice()), uti: "same" };
    const { oid: _hers, sub: _sub, ...shared } = twin;
    const [first, second] = [alice({ claims: shared }), bob({ claims: shared, without: [] })];
    const [a, b] = [await header(first), await header(second)];
    expect([claimsOf(tokenIn(a))["oid"], claimsOf(tokenIn(b))["oid"]]).toEqual([USER_IDS.alice, USER_IDS.bob]);
    expect((await header(hers)).status).toBe(401);
  });

  test("the same person through another client: another token", async () => {
    const [web, desktop] = [await header(alice()), await header(alice({ client: "public" }))];
    expect(tokenIn(web)).not.toBe(tokenIn(desktop));
    expect(tokenRequests()).toBe(2);
  });

  test("a token of hers with other last bits, or with more behind it, is no key to her cached one", async () => {
    const token = alice();
    expect((await header(token)).status).toBe(200);
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const respelled = token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1) ?? "") ^ 1];
    for (const variant of [respelled, `${token}=`, token.slice(0, -1), `${token}A`, token.toLowerCase()]) {
      expect((await header(variant)).status).toBe(401);
    }
    expect(tokenRequests()).toBe(1);
  });

  test("a cached token is not given to a caller that policy or validation refuses now", async () => {
    const token = alice();
    expect((await header(token)).status).toBe(200);
    const elsewhere = await service.call("/oauth2/token", {
      form: exchangeForm(token),
      headers: bearer(appToken(world, { client: "daemon" })),
    });
    expect(elsewhere.json()).toMatchObject({ error: "unauthorized_client" });
    const his = await service.call("/oauth2/token", { form: exchangeForm(token), headers: bearer(bob()) });
    expect(his.json()).toMatchObject({ code: "subject_refused" });
  });
});

describe("the right to a token ends (SEC-10)", () => {
  test("with the assertion: afterwards nothing is given from the cache", async () => {
    const token = alice({ lifetimeSeconds: 600 });
    expect((await header(token)).status).toBe(200);
    clock.advance(7 * MINUTE);
    expect((await header(token)).status).toBe(200);
    expect(tokenRequests()).toBe(1);
    clock.advance(4 * MINUTE + 1_000);
    expect((await header(token)).json()).toMatchObject({ status: 401, code: "caller_refused" });
    expect(tokenRequests()).toBe(1);
  });

  test("within the tolerance of our clock, Entra has the last word (500133)", async () => {
    const token = alice({ lifetimeSeconds: 600 });
    await header(token);
    clock.advance(10 * MINUTE + 30_000);
    expect((await header(token)).json()).toMatchObject({ status: 401, error: "invalid_token", error_codes: [500133] });
  });

  test("with the token itself: renewed in time, never given out dead", async () => {
    const token = alice({ lifetimeSeconds: 6 * 3_600 });
    for (let round = 0; round < 10; round++) {
      const answer = await header(token);
      expect(Number(answer.json()["expiresIn"])).toBeGreaterThan(60);
      expect(Number(claimsOf(tokenIn(answer))["exp"]) * 1_000).toBeGreaterThan(clock.nowMs() + MINUTE);
      clock.advance(30 * MINUTE);
    }
    expect(tokenRequests()).toBeGreaterThanOrEqual(3);
    expect(tokenRequests()).toBeLessThanOrEqual(6);
  });
});

describe("Entra's keys", () => {
  test("rotated while callers are served: old tokens and new ones, nobody refused", async () => {
    const { state } = world.tenant;
    expect((await header(alice())).status).toBe(200);
    const before = bob();
    await state.addKey();
    const answers = await Promise.all([header(before), ...Array.from({ length: 20 }, () => header(alice()))]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(state.requestCounts()["jwks"]).toBe(2);
  });

  test("a key that Entra withdrew is refused once we have read its keys again", async () => {
    const { state } = world.tenant;
    expect((await header(alice())).status).toBe(200);
    const old = bob();
    await state.rotateKey();
    expect((await header(alice())).status).toBe(200);
    expect((await header(old)).json()).toMatchObject({ status: 401, code: "caller_refused" });
  });

  test("out of reach after the first reading: served for days; an unknown key is then our trouble, not the caller's", async () => {
    const { state } = world.tenant;
    expect((await header(alice())).status).toBe(200);
    state.order({ endpoint: "jwks", status: 503, body: "", times: 0 });
    for (let day = 0; day < 3; day++) {
      clock.advance(DAY);
      expect((await header(alice())).status).toBe(200);
    }
    const unknown = userToken(world, { key: "unpublished" });
    expect((await header(unknown)).json()).toMatchObject({ status: 503, code: "key_set_unavailable", action: "retry" });
    expect(service.logs.some((line) => line.includes('"event":"keys"'))).toBe(true);
  });

  test.each([
    ["503", { status: 503, body: "" }],
    ["HTML", { status: 200, body: "<html></html>" }],
    ["an empty set", { status: 200, body: { keys: [] } }],
    ["a redirect", { status: 302, body: "", headers: { Location: "https://evil.example/keys" } }],
    ["a megabyte", { status: 200, body: { keys: [], filler: "x".repeat(1_000_000) } }],
    ["a broken connection", { drop: true }],
  ])("%s at the first reading: 503, few readings, and served when they are back", async (_title, order) => {
    world.tenant.state.order({ endpoint: "jwks", times: 0, ...order });
    const answers = await Promise.all(Array.from({ length: 20 }, () => header(alice())));
    expect(new Set(answers.map((answer) => answer.json()["code"]))).toEqual(new Set(["key_set_unavailable"]));
    expect(world.tenant.state.requestCounts()["jwks"]).toBe(1);
    world.tenant.state.clearOrders();
    clock.advance(6_000);
    expect((await header(alice())).status).toBe(200);
  });

  test("two hundred callers at a cold start cause one reading", async () => {
    const { state } = world.tenant;
    const order = state.order({ endpoint: "jwks", hold: true, times: 0 });
    const all = Array.from({ length: 200 }, (_, index) => header(index % 2 === 0 ? alice() : bob()));
    await state.orders.hit(order);
    state.releaseOrder({ id: order });
    expect(new Set((await Promise.all(all)).map(({ status }) => status))).toEqual(new Set([200]));
    expect(state.requestCounts()["jwks"]).toBe(1);
  });
});

test("the cache is bounded: what is pushed out is asked again, nothing fails", async () => {
  const small = world.serve({ settings: { TOKEN_CACHE_MAX_BYTES: "100000" } });
  const tokens = Array.from({ length: 60 }, () => alice());
  for (const token of [...tokens, tokens[0] ?? "", tokens[59] ?? ""]) {
    expect((await header(token, small)).status).toBe(200);
  }
  expect(
    small
      .events()
      .slice(-2)
      .map(({ cache }) => cache),
  ).toEqual(["miss", "hit"]);
});

test("an instance knows nothing of another's cache", async () => {
  const token = alice();
  await header(token);
  await header(token, service.another());
  expect(tokenRequests()).toBe(2);
  expect(world.tenant.state.requests({ endpoint: "token" }).every(({ client }) => client === CLIENT_IDS.service)).toBe(
    true,
  );
});
