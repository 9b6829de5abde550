/**
 * A request for a part of the scopes of an earlier request, after the earlier token was revoked: it asks Entra, and gets
 * the earlier token neither from the memory of an instance nor from Redis.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually } from "../shared/cache/redis/support/level.ts";
import { describeWithRedis, type RedisServer, startRedis } from "../shared/cache/redis/support/redis-server.ts";
import { bearer, USER_IDS, userToken } from "../support/callers.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { newTableName } from "../support/table-rows.ts";
import { useWorld } from "../support/use-world.ts";

const SCOPES = ["User.Read", "Mail.Read"];
/** A revocation reaches this far into the future, because clocks differ. */
const MARGIN_MS = 6_000;

const { world, clock } = useWorld();
beforeEach(() => world.tenant.state.reset());
const serve = (more: object = {}) => world.serve({ settings: { GRANT_TABLE_NAME: newTableName(), ...more } });

async function ask(service: ServiceUnderTest, token: string, scopes: readonly string[]) {
  const answer = await service.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { scopes } });
  expect(answer.status).toBe(200);
  return { level: service.lastEvent()["cache"], token: answer.json()["authorizationHeader"] };
}

async function revokeAlice(service: ServiceUnderTest): Promise<void> {
  const json = { person: USER_IDS.alice, reason: "drill", dryRun: false };
  const headers = bearer(userToken(world, { user: "erin" }));
  expect((await service.call("/manage/revocations", { headers, json })).status).toBe(200);
}

test("a request for a part of the scopes gets no revoked token from the memory of the instance", async () => {
  const service = serve();
  const token = userToken(world);
  const whole = await ask(service, token, SCOPES);
  expect(await ask(service, token, ["User.Read"])).toEqual({ level: "hit", token: whole.token });
  await revokeAlice(service);
  clock.advance(MARGIN_MS);
  const part = await ask(service, token, ["User.Read"]);
  expect(part.level).toBe("miss");
  expect(part.token).not.toBe(whole.token);
  // The new token is the one that the family has now.
  expect(await ask(service, token, ["Mail.Read"])).toEqual({ level: "hit", token: part.token });
});

test("a scope without consent leaves the earlier token of other scopes in use, and consent that is gone does not", async () => {
  const service = serve();
  const token = userToken(world);
  world.tenant.state.withdrawConsent({ user: "alice", scopes: ["Mail.Read"] });
  const earlier = await ask(service, token, ["User.Read"]);
  const call = (json: object) => service.call("/AuthorizationHeader/graph", { headers: bearer(token), json });
  expect((await call({ scopes: ["Mail.Read"] })).json()).toMatchObject({ code: "consent_required" });
  expect(await ask(service, token, ["User.Read"])).toEqual({ level: "hit", token: earlier.token });
  world.tenant.state.order({ endpoint: "token", aadsts: 65001 });
  const gone = await call({ scopes: ["User.Read"], forceRefresh: true });
  expect(gone.json()).toMatchObject({ code: "consent_required" });
  world.tenant.state.clearOrders();
  expect((await ask(service, token, ["User.Read"])).level).toBe("miss");
});

describeWithRedis("instances that share one Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(() => redis.restart());
  afterAll(() => redis?.stop());

  const warm = async (service: ServiceUnderTest) => {
    const { sharedTokens } = service.service;
    sharedTokens?.warm();
    await eventually(async () => (await sharedTokens?.findOrLease(`warm ${Math.random()}`))?.kind === "leased");
    return service;
  };
  const keys = async () => ((await redis.command("KEYS", "gte1:*")) as string[]).sort();

  test("a request for a part of the scopes gets no revoked token from Redis", async () => {
    const settings = { REDIS_URL: redis.url, GRANT_TABLE_NAME: newTableName() };
    const another = () => warm(world.serve({ settings }));
    const first = await another();
    await redis.command("FLUSHALL");
    const token = userToken(world);
    const whole = await ask(first, token, SCOPES);
    // The token and the pointer of its family.
    await eventually(async () => (await keys()).length === 2);
    expect(await ask(await another(), token, ["User.Read"])).toEqual({ level: "shared", token: whole.token });
    await revokeAlice(first);
    await eventually(async () => (await keys()).includes("gte1:marks"));
    clock.advance(MARGIN_MS);
    const part = await ask(await another(), token, ["User.Read"]);
    expect(part.level).toBe("miss");
    expect(part.token).not.toBe(whole.token);
    expect((await ask(await another(), token, SCOPES)).token).not.toBe(whole.token);
  });
});
