/**
 * The whole service with a real Redis: several instances share tokens and calls to Entra, and no request fails because
 * of Redis.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually } from "../shared/cache/redis/support/level.ts";
import { describeWithRedis, type RedisServer, startRedis } from "../shared/cache/redis/support/redis-server.ts";
import { bearer, userToken } from "../support/callers.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const USERS = ["alice", "bob"];

describeWithRedis("three instances and one Redis", () => {
  const { world, clock } = useWorld();
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(async () => {
    world.tenant.state.reset();
    await redis.restart();
  });
  afterAll(() => redis?.stop());

  const instance = () => world.serve({ settings: { REDIS_URL: redis.url } });
  const get = (service: ServiceUnderTest, token: string) =>
    service.call("/AuthorizationHeader/graph", { headers: bearer(token) });
  const callsToEntra = () => world.tenant.state.requestCounts()["token:on-behalf-of"] ?? 0;
  /** The keys of tokens: a pointer is shorter. */
  const entries = async () => {
    const keys = (await redis.command("KEYS", "gte1:*")) as string[];
    const sizes = await Promise.all(keys.map((key) => redis.command("STRLEN", key)));
    return keys.filter((_key, index) => Number(sizes[index]) > 200);
  };
  /** Waits until each instance is connected to Redis. */
  const warm = (services: readonly ServiceUnderTest[]) =>
    Promise.all(
      services.map(async (service) => {
        service.service.sharedTokens?.warm();
        await eventually(async () => (await service.service.sharedTokens?.find("warm")) === undefined);
        await eventually(
          async () => (await service.service.sharedTokens?.findOrLease(`warm ${Math.random()}`))?.kind === "leased",
        );
      }),
    );

  test("several instances and requests make one call to Entra for each user", async () => {
    const services = [instance(), instance(), instance()];
    await warm(services);
    const tokens = USERS.map((user) => userToken(world, { user }));
    const answers = await Promise.all(
      services.flatMap((service) => tokens.flatMap((token) => [get(service, token), get(service, token)])),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(callsToEntra()).toBe(USERS.length);
    const levels = services.flatMap((service) => service.events().map((event) => event["cache"]));
    expect(levels.filter((level) => level === "miss")).toHaveLength(USERS.length);
    expect(levels.filter((level) => level === "shared")).toHaveLength(USERS.length * 2);
    expect(levels.filter((level) => level === "joined")).toHaveLength(USERS.length * 3);
  });

  test("a new instance uses the tokens that the others have stored", async () => {
    const first = instance();
    await warm([first]);
    const token = userToken(world);
    const given = (await get(first, token)).json()["authorizationHeader"];
    const second = instance();
    await warm([second]);
    const answer = await get(second, token);
    expect(answer.json()["authorizationHeader"]).toBe(given);
    expect(second.lastEvent()["cache"]).toBe("shared");
    expect(callsToEntra()).toBe(1);
  });

  test("a crash of Redis under load fails no request, and Redis is used again after its restart", async () => {
    const services = [instance(), instance(), instance()];
    await warm(services);
    const send = (round: number) => {
      const token = userToken(world, { claims: { uti: `load-${round}` } });
      return Promise.all(services.map((service) => get(service, token)));
    };
    const running: Promise<unknown>[] = [];
    const statuses: number[] = [];
    for (let round = 0; round < 30; round++) {
      const answered = send(round).then((answers) => statuses.push(...answers.map(({ status }) => status)));
      running.push(answered);
      if (round === 10) await redis.kill();
      if (round === 20) await redis.restart();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(running);
    expect(statuses).toHaveLength(90);
    expect(new Set(statuses)).toEqual(new Set([200]));
    // After a failure, the service does not use Redis for 5 s.
    clock.advance(5_000);
    await warm(services);
    const before = callsToEntra();
    await send(1_000);
    expect(callsToEntra()).toBe(before + 1);
  });

  test("an entry of another user, copied to this user's key, is not used", async () => {
    const [first, second] = [instance(), instance()];
    await warm([first, second]);
    await redis.command("FLUSHALL");
    await get(first, userToken(world, { user: "alice" }));
    // Each token has its entry and the pointer of its family.
    await eventually(async () => Number(await redis.command("DBSIZE")) === 2);
    const [alices] = await entries();
    const bob = userToken(world, { user: "bob" });
    await get(first, bob);
    await eventually(async () => Number(await redis.command("DBSIZE")) === 4);
    const bobs = (await entries()).find((key) => key !== alices);
    await redis.command("COPY", String(alices), String(bobs), "REPLACE");
    const answer = await get(second, bob);
    expect(answer.status).toBe(200);
    expect(second.lastEvent()).toMatchObject({ cache: "miss", subjectObjectId: expect.stringMatching(/^b0b/) });
  });

  test("without the cache key in the vault the service works, and the operator log says why it is slower", async () => {
    world.tenant.state.order({ endpoint: "vault", path: "cache-key", times: 0, status: 404, body: {} });
    const service = instance();
    expect((await get(service, userToken(world))).status).toBe(200);
    await eventually(async () => {
      await get(service, userToken(world));
      return service.logs.some((line) => line.includes("cache_key_problem"));
    });
  });
});
