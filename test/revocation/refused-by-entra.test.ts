/**
 * What Entra has definitely refused is not served from a cache any more: not on this instance, not from Redis, and not
 * from the memory of another instance.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../shared/cache/redis/support/level.ts";
import { describeWithRedis, type RedisServer, startRedis } from "../shared/cache/redis/support/redis-server.ts";
import { appToken, bearer, CLIENT_IDS, exchangeForm, userToken } from "../support/callers.ts";
import { MINUTE } from "../support/movable-clock.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { newTableName } from "../support/table-rows.ts";
import { useWorld } from "../support/use-world.ts";

const BOTH = { graph: ["Mail.Read", "User.Read"], orders: ["Orders.Read"] };
const POLICY = policyWithEntries({ "web-users": { apis: BOTH, flows: ["on-behalf-of", "refresh-token"] } });
/** Another instance reads Redis' marks again after this time. */
const POLL_MS = 1_001;

const { world, clock } = useWorld();

interface Setting {
  readonly settings: Record<string, string>;
  readonly service: ServiceUnderTest;
}

function start(more: Record<string, string> = {}): Setting {
  const settings = { POLICY, GRANT_TABLE_NAME: newTableName(), ...more };
  return { settings, service: world.serve({ settings }) };
}

const get = (service: ServiceUnderTest, token: string, api = "graph") =>
  service.call(`/AuthorizationHeader/${api}`, { headers: bearer(token) });

async function levelOf(service: ServiceUnderTest, token: string, api = "graph"): Promise<unknown> {
  expect((await get(service, token, api)).status).toBe(200);
  return service.lastEvent()["cache"];
}

/** One request to Entra that Entra refuses with this number. The next one works again. */
async function hear(service: ServiceUnderTest, token: string, aadsts: number, json: object = {}): Promise<void> {
  world.tenant.state.order({ endpoint: "token", aadsts });
  const headers = bearer(token);
  const refused = await service.call("/AuthorizationHeader/graph", { headers, json: { forceRefresh: true, ...json } });
  expect(refused.status).toBeGreaterThanOrEqual(400);
  world.tenant.state.clearOrders();
}

async function issueGrant(service: ServiceUnderTest): Promise<string> {
  const form = exchangeForm(userToken(world), { scope: "User.Read Mail.Read offline_access" });
  const answer = await service.call("/oauth2/token", { form, headers: bearer(appToken(world)) });
  return String(answer.json()["refresh_token"]);
}

const redeem = (service: ServiceUnderTest, handle: string, more: object = {}) =>
  service.call("/AuthorizationHeader/graph", {
    headers: bearer(appToken(world)),
    json: { grant: handle, ...more },
  });

const OF_THE_PERSON: readonly [number, string][] = [
  [50057, "the account is disabled"],
  [50034, "the account does not exist"],
  [50020, "the account is of another tenant"],
  [50105, "the person is not assigned any more"],
  [50173, "the sessions are revoked"],
];

describe("after Entra has refused a person", () => {
  test.each(OF_THE_PERSON)("(%i, %s) no earlier token of the person is used, of any API", async (aadsts) => {
    const { service } = start();
    const token = userToken(world);
    const [graph, orders] = [await levelOf(service, token), await levelOf(service, token, "orders")];
    expect([graph, orders]).toEqual(["miss", "miss"]);
    expect([await levelOf(service, token), await levelOf(service, token, "orders")]).toEqual(["hit", "hit"]);
    await hear(service, token, aadsts);
    expect([await levelOf(service, token), await levelOf(service, token, "orders")]).toEqual(["miss", "miss"]);
  });

  test("tokens of another person stay in use", async () => {
    const { service } = start();
    const bob = userToken(world, { user: "bob" });
    await levelOf(service, bob);
    await hear(service, userToken(world), 50057);
    expect(await levelOf(service, bob)).toBe("hit");
  });

  test("a token of a grant counts no longer after on-behalf-of was refused", async () => {
    const { service } = start();
    const handle = await issueGrant(service);
    await redeem(service, handle);
    await redeem(service, handle);
    expect(service.lastEvent()["cache"]).toBe("hit");
    await hear(service, userToken(world), 50173);
    await redeem(service, handle);
    expect(service.lastEvent()["cache"]).toBe("miss");
  });

  test("a new token is cached again after some seconds", async () => {
    const { service } = start();
    const token = userToken(world);
    await levelOf(service, token);
    await hear(service, token, 50057);
    clock.advance(6_000);
    expect([await levelOf(service, token), await levelOf(service, token)]).toEqual(["miss", "hit"]);
  });
});

describe("after another definite refusal", () => {
  test("of a grant (700082), the grant's earlier tokens are not used, and other tokens of the person are", async () => {
    const { service } = start();
    const handle = await issueGrant(service);
    const token = userToken(world);
    await redeem(service, handle);
    await levelOf(service, token);
    world.tenant.state.order({ endpoint: "token", aadsts: 700082 });
    expect((await redeem(service, handle, { forceRefresh: true })).json()).toMatchObject({ code: "grant_dead" });
    world.tenant.state.clearOrders();
    await redeem(service, handle);
    expect(service.lastEvent()["cache"]).toBe("miss");
    expect(await levelOf(service, token)).toBe("hit");
  });

  test("of a person's consent (65001), only the tokens of that API are not used", async () => {
    const { service } = start();
    const token = userToken(world);
    await levelOf(service, token);
    await levelOf(service, token, "orders");
    await hear(service, token, 65001);
    expect([await levelOf(service, token), await levelOf(service, token, "orders")]).toEqual(["miss", "hit"]);
  });

  test("of the registration (7000112), no earlier token of any person is used", async () => {
    const { service } = start();
    const bob = userToken(world, { user: "bob" });
    await levelOf(service, bob);
    await hear(service, userToken(world), 7000112);
    expect(await levelOf(service, bob)).toBe("miss");
  });

  test.each([
    [50076, "a demand for a second factor"],
    [90033, "a passing fault"],
    [50013, "a bad assertion"],
  ])("(%i, %s) earlier tokens stay in use, because Entra has not refused them", async (aadsts) => {
    const { service } = start();
    const token = userToken(world);
    await levelOf(service, token);
    world.tenant.state.order({ endpoint: "token", aadsts, times: 2 });
    await service.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { forceRefresh: true } });
    world.tenant.state.clearOrders();
    expect(await levelOf(service, token)).toBe("hit");
  });

  test("in a renewal in the background, the cached token that is still valid is not used any more", async () => {
    const { service } = start();
    const handle = await issueGrant(service);
    const { expiresIn } = (await redeem(service, handle)).json();
    // The renewal is due, and the token is still in use.
    clock.advance(Number(expiresIn) * 1_000 - 5 * MINUTE);
    world.tenant.state.clearLog();
    world.tenant.state.order({ endpoint: "token", aadsts: 50173, times: 0 });
    expect((await redeem(service, handle)).status).toBe(200);
    await eventually(() => world.tenant.state.requests({ endpoint: "token" }).length > 0);
    await eventually(async () => (await redeem(service, handle)).status === 403);
    expect(service.lastEvent()).toMatchObject({ code: "grant_dead" });
  });
});

describeWithRedis("two instances with Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(async () => {
    world.tenant.state.reset();
    await redis.restart();
  });
  afterAll(() => redis?.stop());

  const warm = async (service: ServiceUnderTest) => {
    service.service.sharedTokens?.warm();
    await eventually(
      async () => (await service.service.sharedTokens?.findOrLease(`warm ${Math.random()}`))?.kind === "leased",
    );
    return service;
  };
  async function startTwo() {
    const { service: first, settings } = start({ REDIS_URL: redis.url });
    const another = async () => warm(world.serve({ settings }));
    await warm(first);
    return { first, second: await another(), another };
  }

  test.each([...OF_THE_PERSON, [65001, "the consent is missing"], [7000112, "the registration is disabled"]])(
    "(%i, %s) neither the memory of the other instance nor Redis serves an earlier token",
    async (aadsts) => {
      const { first, second, another } = await startTwo();
      const token = userToken(world);
      expect([await levelOf(first, token), await levelOf(second, token)]).toEqual(["miss", "shared"]);
      await hear(first, token, Number(aadsts));
      clock.advance(POLL_MS);
      // The first request starts the read of the marks in the background.
      await get(second, userToken(world, { user: "bob" }));
      await eventually(async () => (await levelOf(second, token)) !== "hit");
      expect(second.lastEvent()["cache"]).toBe("miss");
      expect(await levelOf(await another(), token)).toBe("miss");
    },
  );

  test("a refused grant (700082) is not served by the other instance", async () => {
    const { first, second } = await startTwo();
    const handle = await issueGrant(first);
    await redeem(first, handle);
    await redeem(second, handle);
    expect(second.lastEvent()["cache"]).toBe("shared");
    world.tenant.state.order({ endpoint: "token", aadsts: 700082 });
    await redeem(first, handle, { forceRefresh: true });
    world.tenant.state.clearOrders();
    clock.advance(6_000);
    await redeem(second, handle);
    expect(second.lastEvent()["cache"]).toBe("miss");
  });

  test("an administrator's revocation reaches the other instance within seconds", async () => {
    const { first, second } = await startTwo();
    const handle = await issueGrant(first);
    expect((await redeem(second, handle)).status).toBe(200);
    const json = { caller: CLIENT_IDS.web, reason: "drill", dryRun: false };
    const headers = bearer(userToken(world, { user: "erin" }));
    expect((await first.call("/manage/revocations", { headers, json })).status).toBe(200);
    // Sooner than the table is read again.
    clock.advance(POLL_MS);
    await eventually(async () => (await redeem(second, handle)).json()["code"] === "grant_revoked");
  });

  test("a mark that Redis could not take is sent when Redis works again", async () => {
    const { first, another } = await startTwo();
    const token = userToken(world);
    await levelOf(first, token);
    redis.freeze();
    await hear(first, token, 50057);
    redis.thaw();
    await eventually(async () => {
      clock.advance(POLL_MS);
      await get(first, userToken(world, { user: "bob" }));
      return Number(await redis.command("EXISTS", "gte1:marks")) === 1;
    });
    expect(await levelOf(await another(), token)).toBe("miss");
  });

  test("an entry that somebody else writes into the stream of marks is ignored", async () => {
    const { first } = await startTwo();
    const token = userToken(world);
    await levelOf(first, token);
    await redis.command("XADD", "gte1:marks", "*", "v", '["entra","everything","",9999999999]');
    clock.advance(POLL_MS);
    await get(first, userToken(world, { user: "bob" }));
    clock.advance(POLL_MS);
    expect(await levelOf(first, token)).toBe("hit");
  });
});
