/**
 * Too many requests: a bounded number at once for each caller and for requests that prove none, an early answer with
 * `Retry-After`, and a limit a minute that instances share. A stranger's request never counts against a caller.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../shared/cache/redis/support/level.ts";
import { describeWithRedis, type RedisServer, startRedis } from "../shared/cache/redis/support/redis-server.ts";
import { appToken, bearer, CLIENT_IDS, clientAssertion, exchangeForm, userToken } from "../support/callers.ts";
import { MINUTE } from "../support/movable-clock.ts";
import { basic, secretOf } from "../support/own-credentials.ts";
import { policyWith, policyWithEntries } from "../support/policies.ts";
import { useWorld } from "../support/use-world.ts";

/** Requests at once that prove no caller: shared/core/limits.ts. */
const UNPROVEN = 256;
const ONE_AT_ONCE = policyWithEntries({
  "web-users": { limits: { requestsAtOnce: 1 } },
  "web-backend": { limits: { requestsAtOnce: 1 } },
});
/** The clock of the wait stands still, so that no request is refused because the machine is slow. */
const surroundings = { steadyMs: () => 0 };
const { world, clock, service, restart } = useWorld({
  newServiceForEachTest: true,
  settings: { POLICY: ONE_AT_ONCE },
});

const header = (token: string, json?: object, at = service) =>
  at.call("/AuthorizationHeader/graph", { headers: bearer(token), ...(json === undefined ? {} : { json }) });

/** A token whose bytes the service has verified, and whose next request it therefore recognises. */
async function knownToken(client = "web"): Promise<string> {
  const token = userToken(world, { client });
  expect((await header(token)).status).toBe(200);
  return token;
}

/** A request of this token that waits for Entra until `release` is called. */
async function hold(token: string) {
  const order = world.tenant.state.order({ endpoint: "token", hold: true });
  const answer = header(token, { forceRefresh: true });
  await world.tenant.state.orders.hit(order);
  return { answer, release: () => world.tenant.state.releaseOrder({ id: order }) };
}

/** A request that the client's own secret authenticates. */
const withSecret = (token = userToken(world, { user: "bob" })) =>
  service.call("/oauth2/token", { headers: basic("web", secretOf(world, "web")), form: exchangeForm(token) });

const SECRETS = {
  POLICY: policyWithEntries({
    "web-backend": { clientAuthentication: ["entra_secret"], limits: { requestsAtOnce: 1_000 } },
  }),
};

/** As many requests as may prove no caller at once. They wait until Entra has checked the secret that all of them have. */
async function fillUnproven() {
  const order = world.tenant.state.order({ endpoint: "token", hold: true });
  const token = userToken(world);
  const answers = Promise.all(Array.from({ length: UNPROVEN }, () => withSecret(token)));
  await world.tenant.state.orders.hit(order);
  return { answers, release: () => world.tenant.state.releaseOrder({ id: order }) };
}

/** The payload of a genuine token with a signature of nobody. */
const forged = (token: string) => `${token.split(".").slice(0, 2).join(".")}.${"A".repeat(342)}`;

describe("a caller over its requests at once", () => {
  test("gets 429 too_many_requests with Retry-After and the RateLimit fields, and 200 when a request has ended", async () => {
    const token = await knownToken();
    const held = await hold(token);
    const over = await header(token);
    expect(over.status).toBe(429);
    expect(over.json()).toMatchObject({ code: "too_many_requests", action: "retry" });
    expect(over.json()["detail"]).toBe(
      "The policy allows this caller 1 requests at once on each instance. Wait and try again.",
    );
    expect(over.headers.get("retry-after")).toBe("1");
    expect(over.headers.get("ratelimit-policy")).toBe('"at-once";q=1;qu="concurrent-requests"');
    expect(over.headers.get("ratelimit")).toBe('"at-once";r=0;t=1');
    held.release();
    expect((await held.answer).status).toBe(200);
    expect((await header(token)).status).toBe(200);
  });

  test("does not affect another caller", async () => {
    const [mine, theirs] = [await knownToken(), await knownToken("public")];
    const held = await hold(mine);
    expect((await header(theirs)).status).toBe(200);
    held.release();
    await held.answer;
  });

  test("is recognised by a client assertion in a form as well", async () => {
    const assertion = appToken(world);
    const exchange = () =>
      service.call("/oauth2/token", { form: { ...exchangeForm(userToken(world)), ...clientAssertion(assertion) } });
    expect((await exchange()).status).toBe(200);
    const order = world.tenant.state.order({ endpoint: "token", hold: true });
    const first = exchange();
    await world.tenant.state.orders.hit(order);
    expect((await exchange()).json()).toMatchObject({ code: "too_many_requests", error: "temporarily_unavailable" });
    world.tenant.state.releaseOrder({ id: order });
    expect((await first).status).toBe(200);
  });

  test("is in an operator event with its policy entry, and each refused request has no audit event", async () => {
    const token = await knownToken();
    const held = await hold(token);
    const events = service.events().length;
    for (let round = 0; round < 5; round++) await header(token);
    expect(service.events()).toHaveLength(events);
    const reported = service.logs.filter((line) => line.includes('"event":"load"'));
    expect(reported).toHaveLength(1);
    expect(JSON.parse(reported[0] ?? "")).toMatchObject({
      event: "load",
      name: "refused",
      reason: "lane_full",
      entry: "web-users",
    });
    held.release();
    await held.answer;
  });

  test("has its place back after a request that failed", async () => {
    const token = await knownToken();
    world.tenant.state.order({ endpoint: "token", drop: true, times: 0 });
    for (let round = 0; round < 3; round++) {
      expect((await header(token, { forceRefresh: true })).json()).toMatchObject({ code: "entra_unavailable" });
    }
  });
});

describe("the first request with each token", () => {
  test("counts against requestsAtOnce of its caller, and no other caller is shut out", async () => {
    restart({ settings: { POLICY: ONE_AT_ONCE }, surroundings });
    const order = world.tenant.state.order({ endpoint: "token", hold: true });
    const first = header(userToken(world));
    await world.tenant.state.orders.hit(order);
    const others = await Promise.all(Array.from({ length: UNPROVEN }, () => header(userToken(world))));
    expect(new Set(others.map((answer) => answer.json()["code"]))).toEqual(new Set(["too_many_requests"]));
    expect(others[0]?.headers.get("ratelimit-policy")).toBe('"at-once";q=1;qu="concurrent-requests"');
    expect(service.lastEvent()).toMatchObject({ code: "too_many_requests", callerKind: "user" });
    expect((await header(userToken(world, { client: "public" }))).status).toBe(200);
    world.tenant.state.releaseOrder({ id: order });
    expect((await first).status).toBe(200);
    expect((await header(userToken(world))).status).toBe(200);
  });

  test("counts against requestsAtOnce of a client that sends its own secret", async () => {
    const limits = { requestsAtOnce: 1 };
    const POLICY = policyWithEntries({ "web-backend": { clientAuthentication: ["entra_secret"], limits } });
    restart({ settings: { POLICY } });
    expect((await withSecret()).status).toBe(200);
    const order = world.tenant.state.order({ endpoint: "token", hold: true });
    const first = withSecret(userToken(world));
    await world.tenant.state.orders.hit(order);
    expect((await withSecret()).json()).toMatchObject({ code: "too_many_requests" });
    world.tenant.state.releaseOrder({ id: order });
    expect((await first).status).toBe(200);
  });

  test("of any agent counts against the limits of the blueprint's entry", async () => {
    const limits = { requestsAtOnce: 1, requestsPerMinute: 2 };
    const blueprint = CLIENT_IDS.agentBlueprint;
    const entry = { name: "agents", displayName: "Agents", kind: "user", blueprint, flows: ["on-behalf-of"], limits };
    const POLICY = policyWith(
      ({ callers }) => void callers.push({ ...entry, apis: { graph: ["User.Read", "Mail.Read"] } }),
    );
    restart({ settings: { POLICY } });
    clock.advance(MINUTE - (clock.nowMs() % MINUTE));
    const [mine, theirs] = ["mailAgent", "newAgent"].map((client) => userToken(world, { client }));
    const order = world.tenant.state.order({ endpoint: "token", hold: true });
    const first = header(mine ?? "");
    await world.tenant.state.orders.hit(order);
    expect((await header(theirs ?? "")).headers.get("ratelimit-policy")).toContain('"at-once"');
    world.tenant.state.releaseOrder({ id: order });
    expect((await first).status).toBe(200);
    expect((await header(theirs ?? "")).status).toBe(200);
    expect((await header(mine ?? "")).headers.get("ratelimit-policy")).toContain('"requests"');
  });
});

describe("requests that prove no caller", () => {
  test("with the claims of a caller in a forged token do not count against that caller", async () => {
    const token = await knownToken();
    const held = await hold(token);
    expect((await header(forged(token))).status).toBe(401);
    held.release();
    await held.answer;
    const answers = await Promise.all([header(forged(token)), header(forged(token)), header(token)]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 200]);
  });

  test("beyond their number at once get 503 overloaded with Retry-After, and a known caller is answered", async () => {
    restart({ settings: SECRETS, surroundings });
    const known = await knownToken();
    const held = await fillUnproven();
    const over = await header(userToken(world, { client: "public" }));
    expect(over.status).toBe(503);
    expect(over.json()).toMatchObject({ code: "overloaded", action: "retry" });
    expect(over.headers.get("retry-after")).toBe("1");
    expect(over.headers.get("ratelimit")).toBeNull();
    expect((await header(known)).status).toBe(200);
    expect((await service.call("/healthz")).status).toBe(200);
    held.release();
    expect(new Set((await held.answers).map(({ status }) => status))).toEqual(new Set([200]));
    expect((await header(userToken(world, { client: "public" }))).status).toBe(200);
  });

  test("a browser gets a page", async () => {
    restart({ settings: SECRETS, surroundings });
    const held = await fillUnproven();
    const page = await service.call("/signin/x");
    expect(page.status).toBe(503);
    expect(page.headers.get("content-type")).toContain("text/html");
    held.release();
    await held.answers;
  });
});

describe("requestsPerMinute", () => {
  const THREE = policyWithEntries({ "web-users": { limits: { requestsPerMinute: 3 } } });
  beforeEach(() => {
    restart({ settings: { POLICY: THREE } });
    // Each test is inside one minute of the clock.
    clock.advance(MINUTE - (clock.nowMs() % MINUTE));
  });

  test("is used up by three requests of any tokens of the caller, until the next minute of the clock", async () => {
    for (let sent = 0; sent < 3; sent++) expect((await header(userToken(world))).status).toBe(200);
    const over = await header(userToken(world, { user: "bob" }));
    expect(over.status).toBe(429);
    expect(over.json()).toMatchObject({ code: "too_many_requests", action: "retry" });
    expect(over.headers.get("ratelimit-policy")).toBe('"requests";q=3;w=60');
    const wait = Number(over.headers.get("retry-after"));
    expect(over.headers.get("ratelimit")).toBe(`"requests";r=0;t=${wait}`);
    expect(service.lastEvent()).toMatchObject({ outcome: "refused", code: "too_many_requests", callerKind: "user" });
    clock.advance(wait * 1_000);
    expect((await header(userToken(world))).status).toBe(200);
  });

  test("counts requests of other routes, and not those of another caller or of a stranger", async () => {
    const token = userToken(world);
    for (let sent = 0; sent < 3; sent++) {
      expect((await service.call("/grants", { headers: bearer(token) })).status).toBe(200);
      expect((await header(forged(token))).status).toBe(401);
    }
    expect((await header(token)).status).toBe(429);
    expect((await service.call("/oauth2/token", { form: exchangeForm(token) })).status).toBe(429);
    expect((await header(userToken(world, { client: "public" }))).status).toBe(200);
    expect(
      (await service.call("/oauth2/token", { form: exchangeForm(token), headers: bearer(appToken(world)) })).status,
    ).toBe(200);
  });

  test("is not shared by instances without Redis", async () => {
    for (let sent = 0; sent < 3; sent++) await header(userToken(world));
    expect((await header(userToken(world), undefined, service.another({ settings: { POLICY: THREE } }))).status).toBe(
      200,
    );
  });

  describeWithRedis("with Redis", () => {
    let redis: RedisServer;
    beforeAll(async () => {
      redis = await startRedis();
    });
    afterAll(() => redis?.stop());

    test("is shared by all instances", async () => {
      const instances = [1, 2].map(() => world.serve({ settings: { POLICY: THREE, REDIS_URL: redis.url } }));
      for (const { service: one } of instances) {
        one.sharedTokens?.warm();
        await eventually(async () => (await one.sharedTokens?.count("warm", 1, MINUTE)) !== undefined);
      }
      const token = userToken(world);
      const statuses: number[] = [];
      for (let round = 0; round < 4; round++) {
        for (const instance of instances) statuses.push((await header(token, undefined, instance)).status);
        await eventually(async () => Number(await redis.command("DBSIZE")) >= 1);
        clock.advance(1_000);
      }
      const accepted = statuses.filter((status) => status === 200).length;
      expect(accepted).toBeGreaterThanOrEqual(3);
      expect(accepted).toBeLessThanOrEqual(4);
      expect(statuses.slice(-2)).toEqual([429, 429]);
    });
  });
});
