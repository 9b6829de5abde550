/** Level 2 against a real redis-server: what it stores, and what it does when the server fails. */
import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { REDIS_DEADLINE_MS } from "../../../../shared/core/limits.ts";
import { fail, succeed } from "../../../../shared/core/result.ts";
import { SecretValue } from "../../../../shared/core/secret-value.ts";
import { cachedToken, closeLevels, eventually, inAnHour, openLevel } from "./support/level.ts";
import { describeWithRedis, type RedisServer, startRedis } from "./support/redis-server.ts";

describeWithRedis("level 2 in Redis", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  beforeEach(() => server.command("FLUSHALL"));
  afterEach(closeLevels);
  afterAll(() => server?.stop());

  test("a token that one instance puts is found by another", async () => {
    const [first, second] = [await openLevel(server.url), await openLevel(server.url)];
    await first.level.put("key", cachedToken("one"), inAnHour());
    const found = await second.level.findOrLease("key");
    expect(found).toMatchObject({ kind: "token", token: { scopes: ["User.Read", "Mail.Read"] } });
    expect((await second.level.find("key"))?.accessToken.reveal()).toBe("one");
  });

  test("the first look-up gets the lease; other look-ups are busy", async () => {
    const [first, second] = [await openLevel(server.url), await openLevel(server.url)];
    const found = await Promise.all([first.level.findOrLease("key"), second.level.findOrLease("key")]);
    expect(found.map(({ kind }) => kind).sort()).toEqual(["busy", "leased"]);
    expect(await first.level.find("key")).toBeUndefined();
  });

  test("a lease can be taken again after its release or its expiry", async () => {
    const { level } = await openLevel(server.url);
    const first = await level.findOrLease("key");
    await level.release("key", first.kind === "leased" ? first.lease : "");
    expect((await level.findOrLease("key")).kind).toBe("leased");
    expect(Number(await server.command("PTTL", "gte1:key"))).toBeLessThanOrEqual(3_000);
    await server.command("PEXPIRE", "gte1:key", "1");
    await eventually(async () => (await level.findOrLease("key")).kind === "leased");
  });

  test("the release of an old lease does not delete a token that another instance has put", async () => {
    const { level } = await openLevel(server.url);
    const lease = await level.findOrLease("key");
    await level.put("key", cachedToken("one"), inAnHour());
    await level.release("key", lease.kind === "leased" ? lease.lease : "");
    expect((await level.find("key"))?.accessToken.reveal()).toBe("one");
  });

  test("an entry expires in Redis, and a token that has expired is not put", async () => {
    const { level } = await openLevel(server.url);
    await level.put("key", cachedToken("one"), inAnHour());
    const ttl = Number(await server.command("PTTL", "gte1:key"));
    expect(ttl).toBeGreaterThan(3_500_000);
    expect(ttl).toBeLessThanOrEqual(3_600_000);
    await level.put("over", cachedToken("two"), inAnHour() - 3_600);
    expect(await server.command("EXISTS", "gte1:over")).toBe(0);
  });

  test("an entry in Redis contains no readable part of the token", async () => {
    const { level } = await openLevel(server.url);
    await level.put("key", cachedToken("eyJhbGciOi.secret.token"), inAnHour());
    const stored = Buffer.from(String(await server.command("GET", "gte1:key")));
    expect(stored.toString("latin1")).not.toMatch(/eyJ|secret|User\.Read/);
  });

  test("an entry copied to another key is refused and replaced", async () => {
    const { level } = await openLevel(server.url);
    await level.put("alice", cachedToken("alice's"), inAnHour());
    await server.command("COPY", "gte1:alice", "gte1:bob");
    expect(await level.find("bob")).toBeUndefined();
    expect((await level.findOrLease("bob")).kind).toBe("unavailable");
    await level.put("bob", cachedToken("bob's"), inAnHour());
    expect((await level.find("bob"))?.accessToken.reveal()).toBe("bob's");
  });

  test("an entry that stays in Redis after its time of expiry is not used", async () => {
    const clock = { ahead: 0 };
    const { level } = await openLevel(server.url, { nowMs: () => Date.now() + clock.ahead });
    await level.put("key", cachedToken("one", inAnHour()), inAnHour());
    await server.command("PERSIST", "gte1:key");
    clock.ahead = 3_601_000;
    expect(await level.find("key")).toBeUndefined();
  });

  test("a value of another form or type counts as no entry and is replaced", async () => {
    const { level } = await openLevel(server.url);
    await server.command("SET", "gte1:text", "hello");
    await server.command("SET", "gte1:empty", "");
    await server.command("SET", "gte1:random", Buffer.alloc(2_000, 0xff));
    await server.command("RPUSH", "gte1:list", "a", "b");
    for (const key of ["text", "empty", "random", "list"]) {
      expect(await level.find(key), key).toBeUndefined();
      expect((await level.findOrLease(key)).kind, key).toBe("unavailable");
      await level.put(key, cachedToken(key), inAnHour());
      expect((await level.find(key))?.accessToken.reveal(), key).toBe(key);
    }
  });

  test("an entry sealed with another cache secret cannot be unsealed", async () => {
    const other = { readSecret: async () => succeed({ value: new SecretValue(randomBytes(32).toString("base64")) }) };
    const [first, second] = [await openLevel(server.url), await openLevel(server.url, other)];
    await first.level.put("key", cachedToken("one"), inAnHour());
    expect(await second.level.find("key")).toBeUndefined();
  });

  test("without a cache secret in the vault nothing is stored in Redis, and an event reports it", async () => {
    const { level, events } = await openLevel(server.url, {
      readSecret: async () => fail({ kind: "secret_missing" }),
    });
    expect((await level.findOrLease("key")).kind).toBe("unavailable");
    await level.put("key", cachedToken("one"), inAnHour());
    expect(await server.command("EXISTS", "gte1:key")).toBe(0);
    expect(events).toEqual([{ name: "cache_key_problem", reason: "secret_missing" }]);
  });

  test("a full server that may evict replaces old entries by new ones", async () => {
    const full = await startRedis(["--maxmemory", "4mb", "--maxmemory-policy", "volatile-lru"]);
    try {
      const { level, events } = await openLevel(full.url);
      for (let index = 0; index < 3_000; index++) {
        await level.put(`key ${index}`, cachedToken("x".repeat(2_000)), inAnHour());
      }
      expect(await level.find("key 2999")).toBeDefined();
      expect(Number(await full.command("DBSIZE"))).toBeLessThan(3_000);
      expect(events).toEqual([]);
    } finally {
      await full.stop();
    }
  });

  test("a full server that may not evict returns its entries, stores no new ones, and causes no failure", async () => {
    const full = await startRedis(["--maxmemory-policy", "noeviction"]);
    try {
      const { level, events } = await openLevel(full.url);
      await level.put("before", cachedToken("one"), inAnHour());
      await full.command("CONFIG", "SET", "maxmemory", "1");
      expect((await level.findOrLease("before")).kind).toBe("token");
      expect((await level.findOrLease("new")).kind).toBe("unavailable");
      await level.put("new", cachedToken("two"), inAnHour());
      expect(await level.find("new")).toBeUndefined();
      for (let time = 0; time < 10; time++) {
        await level.put(`more ${time}`, cachedToken("x".repeat(2_000)), inAnHour());
      }
      expect((await level.find("before"))?.accessToken.reveal()).toBe("one");
      expect(events).toEqual([]);
    } finally {
      await full.stop();
    }
  });
});

describeWithRedis("an outage of Redis", () => {
  afterEach(closeLevels);

  test("a killed server is unavailable at once, and is used again after its restart", async () => {
    const server = await startRedis();
    try {
      const { level } = await openLevel(server.url);
      await level.put("key", cachedToken("one"), inAnHour());
      await server.kill();
      await eventually(async () => (await level.findOrLease("key")).kind === "unavailable");
      const started = performance.now();
      for (let time = 0; time < 1_000; time++) {
        await level.findOrLease("key");
        await level.put("key", cachedToken("one"), inAnHour());
      }
      // Waiting out the deadline would take a hundred seconds.
      expect(performance.now() - started).toBeLessThan(10_000);
      await server.restart();
      await eventually(async () => (await level.findOrLease(`key ${Math.random()}`)).kind === "leased");
      await level.put("key", cachedToken("two"), inAnHour());
      expect((await level.find("key"))?.accessToken.reveal()).toBe("two");
    } finally {
      await server.stop();
    }
  });

  test("a server that does not reply delays five look-ups by 50 ms each, and later ones not at all", async () => {
    const server = await startRedis();
    const clock = { now: 0 };
    try {
      const { level, events } = await openLevel(server.url, {
        steadyMs: () => clock.now,
        deadlineMs: REDIS_DEADLINE_MS,
      });
      server.freeze();
      const waits: number[] = [];
      for (let time = 0; time < 8; time++) {
        const started = performance.now();
        expect((await level.findOrLease("key")).kind).toBe("unavailable");
        waits.push(performance.now() - started);
      }
      expect(Math.min(...waits.slice(0, 5))).toBeGreaterThan(45);
      expect(Math.min(...waits.slice(5))).toBeLessThan(45);
      expect(events).toEqual([{ name: "redis_given_up", reason: "late" }]);
      server.thaw();
      clock.now = 5_000;
      await eventually(async () => {
        clock.now += 5_000;
        return (await level.findOrLease(`key ${clock.now}`)).kind === "leased";
      });
      expect(events.at(-1)).toEqual({ name: "redis_back" });
    } finally {
      server.thaw();
      await server.stop();
    }
  });

  test("a server that is down at the start is used as soon as it runs", async () => {
    const server = await startRedis();
    await server.kill();
    try {
      let opened: Awaited<ReturnType<typeof openLevel>> | undefined;
      const opening = openLevel(server.url).then((instance) => {
        opened = instance;
      });
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(opened).toBeUndefined();
      await server.restart();
      await opening;
      expect((await opened?.level.findOrLease("key"))?.kind).toBe("leased");
    } finally {
      await server.stop();
    }
  });
});
