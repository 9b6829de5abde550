/**
 * Concurrent callers: a failure for one user does not affect others, no user gets another user's token, identical
 * requests share one call to Entra, a cached token is not released after its user token expired, and Entra may rotate
 * its keys at any time.
 */
import { describe, expect, test } from "vitest";
import { appToken, bearer, CLIENT_IDS, claimsOf, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { DAY, MINUTE } from "../support/movable-clock.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { Answer } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, clock, service, restart } = useWorld({ newServiceForEachTest: true });

const header = (token: string, at = service) => at.call("/AuthorizationHeader/graph", { headers: bearer(token) });
const tokenIn = (answer: Answer) => String(answer.json()["authorizationHeader"]).slice("Bearer ".length);
const tokenRequests = () => world.tenant.state.requestCounts()["token"] ?? 0;
const alice = (more = {}) => userToken(world, { user: "alice", ...more });
const bob = (more = {}) => userToken(world, { user: "bob", ...more });

describe("an Entra failure for one user (TC-20)", () => {
  test.each([
    ["503", { status: 503, body: "", headers: { "Retry-After": "60" } }, 503],
    ["503 without Retry-After", { aadsts: 90033 }, 503],
    ["a refusal with Retry-After", { aadsts: 65001, headers: { "Retry-After": "60" } }, 403],
    ["an empty answer", { status: 200, body: "" }, 502],
  ])("%s for Alice affects neither Bob nor Alice's next request", async (_title, order, status) => {
    const { state } = world.tenant;
    const id = state.order({ endpoint: "token", user: "alice", times: 0, ...order });
    for (let round = 0; round < 3; round++) {
      const [hers, his] = await Promise.all([header(alice()), header(bob())]);
      expect([hers.status, his.status]).toEqual([status, 200]);
    }
    state.clearOrders({ id });
    expect((await header(alice())).status).toBe(200);
  });

  test("broken connections for Alice affect neither Bob nor Alice's next request", async () => {
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
  ])(
    "%s for Alice affects only Alice, and the service does not call Entra for her before Retry-After ends",
    async (_title, order) => {
      const { state } = world.tenant;
      state.order({ endpoint: "token", user: "alice", ...order });
      for (let round = 0; round < 3; round++) {
        const [hers, his] = await Promise.all([header(alice()), header(bob())]);
        expect([hers.status, his.status]).toEqual([429, 200]);
        // Each round takes ten seconds of the service's clock, and a slow machine takes a few more.
        const wait = Number(hers.headers.get("retry-after"));
        expect(wait).toBeLessThanOrEqual(60 - 10 * round);
        expect(wait).toBeGreaterThan(45 - 10 * round);
        clock.advance(10_000);
      }
      expect(state.requests({ endpoint: "token", user: USER_IDS.alice })).toHaveLength(1);
      clock.advance(MINUTE);
      expect((await header(alice())).status).toBe(200);
    },
  );

  test("is not cached: the next request with the same token calls Entra again", async () => {
    const token = alice();
    world.tenant.state.order({ endpoint: "token", user: "alice", aadsts: 65001 });
    expect((await header(token)).status).toBe(403);
    expect((await header(token)).status).toBe(200);
  });

  test("a slow answer for Alice does not delay Bob", async () => {
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

describe("identical requests", () => {
  test("two hundred at once share one call to Entra and one token", async () => {
    restart({ settings: { POLICY: policyWithEntries({ "web-users": { limits: { requestsAtOnce: 200 } } }) } });
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

  test("share one call also with another scope order, on another route and with another grant type", async () => {
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

  test("a request for fewer scopes gets the token that has them", async () => {
    const token = alice();
    await header(token);
    await service.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { scopes: ["Mail.Read"] } });
    expect(tokenRequests()).toBe(1);
  });

  test("an application shares the cached token of its subject", async () => {
    const token = alice();
    await header(token);
    const answer = await service.call("/oauth2/token", { form: exchangeForm(token), headers: bearer(appToken(world)) });
    expect(claimsOf(String(answer.json()["access_token"]))).toMatchObject({ oid: USER_IDS.alice });
    expect(tokenRequests()).toBe(1);
  });
});

describe("two users never share a token (SEC-9)", () => {
  test("a hundred interleaved requests with four tokens: each gets a token of its user", async () => {
    const people = [alice, bob].flatMap((who) => [who(), who({ client: "public" })]);
    const all = Array.from({ length: 100 }, (_, index) => people[(index * 7) % people.length] ?? "");
    const answers = await Promise.all(all.map((token) => header(token)));
    for (const [index, answer] of answers.entries()) {
      expect(claimsOf(tokenIn(answer))["oid"]).toBe(claimsOf(all[index] ?? "")["oid"]);
    }
    expect(tokenRequests()).toBe(4);
  });

  test("two tokens that differ only in the user get different tokens", async () => {
    const hers = alice({ claims: { uti: "same", iat: 1, nbf: 1 } });
    const twin: Record<string, unknown> = { ...claimsOf(alice()), uti: "same" };
    const { oid: _hers, sub: _sub, ...shared } = twin;
    const [first, second] = [alice({ claims: shared }), bob({ claims: shared, without: [] })];
    const [a, b] = [await header(first), await header(second)];
    expect([claimsOf(tokenIn(a))["oid"], claimsOf(tokenIn(b))["oid"]]).toEqual([USER_IDS.alice, USER_IDS.bob]);
    expect((await header(hers)).status).toBe(401);
  });

  test("the same user with another client gets another token", async () => {
    const [web, desktop] = [await header(alice()), await header(alice({ client: "public" }))];
    expect(tokenIn(web)).not.toBe(tokenIn(desktop));
    expect(tokenRequests()).toBe(2);
  });

  test("a user token with changed last bits or a suffix does not find the cached token", async () => {
    const token = alice();
    expect((await header(token)).status).toBe(200);
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const respelled = token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1) ?? "") ^ 1];
    for (const variant of [respelled, `${token}=`, token.slice(0, -1), `${token}A`, token.toLowerCase()]) {
      expect((await header(variant)).status).toBe(401);
    }
    expect(tokenRequests()).toBe(1);
  });

  test("a cached token is not released to a caller that policy or validation refuses", async () => {
    const token = alice();
    expect((await header(token)).status).toBe(200);
    const elsewhere = await service.call("/oauth2/token", {
      form: exchangeForm(token),
      headers: bearer(appToken(world, { client: "daemon" })),
    });
    expect(elsewhere.json()).toMatchObject({ error: "unauthorized_client" });
    const his = await service.call("/oauth2/token", { form: exchangeForm(token), headers: bearer(bob()) });
    expect(his.json()).toMatchObject({ code: "subject_not_the_caller" });
  });
});

describe("a cached token is released no longer than its user token is valid (SEC-10)", () => {
  test("after the user token expired, nothing is released from the cache", async () => {
    const token = alice({ lifetimeSeconds: 600 });
    expect((await header(token)).status).toBe(200);
    clock.advance(7 * MINUTE);
    expect((await header(token)).status).toBe(200);
    expect(tokenRequests()).toBe(1);
    clock.advance(4 * MINUTE + 1_000);
    expect((await header(token)).json()).toMatchObject({ status: 401, code: "token_expired" });
    expect(tokenRequests()).toBe(1);
  });

  test("within the clock tolerance Entra decides whether the user token has expired (500133)", async () => {
    const token = alice({ lifetimeSeconds: 600 });
    await header(token);
    clock.advance(10 * MINUTE + 30_000);
    expect((await header(token)).json()).toMatchObject({ status: 401, error: "invalid_token", error_codes: [500133] });
  });

  test("a cached token is renewed before it expires", async () => {
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

describe("Entra's signing keys", () => {
  test("a rotation refuses neither tokens with the old key nor tokens with the new one", async () => {
    const { state } = world.tenant;
    expect((await header(alice())).status).toBe(200);
    const before = bob();
    await state.addKey();
    const answers = await Promise.all([header(before), ...Array.from({ length: 20 }, () => header(alice()))]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(state.requestCounts()["jwks"]).toBe(2);
  });

  test("a withdrawn key is refused after the next read of the keys", async () => {
    const { state } = world.tenant;
    expect((await header(alice())).status).toBe(200);
    const old = bob();
    await state.rotateKey();
    expect((await header(alice())).status).toBe(200);
    expect((await header(old)).json()).toMatchObject({ status: 401, code: "caller_refused" });
  });

  test("if they become unavailable later, known keys serve for days and an unknown key is answered with 503", async () => {
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
    ["one megabyte", { status: 200, body: { keys: [], filler: "x".repeat(1_000_000) } }],
    ["a broken connection", { drop: true }],
  ])("%s at the first read: 503 after one read, and 200 when Entra recovers", async (_title, order) => {
    world.tenant.state.order({ endpoint: "jwks", times: 0, ...order });
    const answers = await Promise.all(Array.from({ length: 20 }, () => header(alice())));
    expect(new Set(answers.map((answer) => answer.json()["code"]))).toEqual(new Set(["key_set_unavailable"]));
    expect(world.tenant.state.requestCounts()["jwks"]).toBe(1);
    world.tenant.state.clearOrders();
    clock.advance(6_000);
    expect((await header(alice())).status).toBe(200);
  });

  test("two hundred callers at a cold start cause one read", async () => {
    const { state } = world.tenant;
    // Signing them takes longer than the service waits for the keys, on a busy machine.
    const tokens = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? alice() : bob()));
    const order = state.order({ endpoint: "jwks", hold: true, times: 0 });
    // No request is refused because it waits long for its turn on a slow machine.
    const cold = world.serve({ surroundings: { steadyMs: () => 0 } });
    const all = tokens.map((token) => header(token, cold));
    await state.orders.hit(order);
    state.releaseOrder({ id: order });
    expect(new Set((await Promise.all(all)).map(({ status }) => status))).toEqual(new Set([200]));
    expect(state.requestCounts()["jwks"]).toBe(1);
  });
});

test("a token that the bounded cache evicted is acquired again", async () => {
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

test("two instances without Redis share no cached tokens", async () => {
  const token = alice();
  await header(token);
  await header(token, service.another());
  expect(tokenRequests()).toBe(2);
  expect(world.tenant.state.requests({ endpoint: "token" }).every(({ client }) => client === CLIENT_IDS.service)).toBe(
    true,
  );
});
