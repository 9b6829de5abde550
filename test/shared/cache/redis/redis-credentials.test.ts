/** Entra authentication: user name and password, when a newer token is requested, and re-authentication of connections. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connectToRedis, type RedisConnection } from "../../../../shared/cache/redis/redis-connection.ts";
import { createRedisCredentials } from "../../../../shared/cache/redis/redis-credentials.ts";
import { closeLevels, eventually, inAnHour, openLevel } from "./support/level.ts";
import { describeWithRedis, type RedisServer, startRedis } from "./support/redis-server.ts";

const OBJECT_ID = "0b1ec700-0000-4000-8000-00000000000a";
const MINUTE = 60_000;

/** Has the form of a token of the service's identity. */
function jwt(name: string, payload: unknown = { oid: OBJECT_ID }): string {
  return `${Buffer.from("{}").toString("base64url")}.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.${name}`;
}

function setUp(...tokens: { readonly token: string; readonly minutes: number }[]) {
  const problems: string[] = [];
  const calls = { count: 0 };
  const credentials = createRedisCredentials({
    token: async () => {
      const next = tokens[Math.min(calls.count, tokens.length - 1)];
      calls.count += 1;
      if (next === undefined) throw new Error("the identity is unavailable");
      return { token: next.token, expiresOnTimestamp: Date.now() + next.minutes * MINUTE };
    },
    nowMs: () => Date.now(),
    onProblem: (problem) => problems.push(problem),
  });
  const seen: (string | undefined)[] = [];
  const listener = {
    onNext: ({ password }: { password?: string }) => void seen.push(password),
    onError: () => undefined,
  };
  return { credentials, calls, problems, seen, listener };
}

describe("the Redis credentials", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("are the object id and the token", async () => {
    const { credentials, listener } = setUp({ token: jwt("one"), minutes: 60 });
    const [first] = await credentials.subscribe(listener);
    expect(first).toEqual({ username: OBJECT_ID, password: jwt("one") });
  });

  test("are requested once for all connections", async () => {
    const { credentials, listener, calls } = setUp({ token: jwt("one"), minutes: 60 });
    await credentials.subscribe(listener);
    await credentials.subscribe(listener);
    expect(calls.count).toBe(1);
  });

  test("are renewed from ten minutes before the token expires, and every connection gets the new token", async () => {
    const { credentials, listener, seen, calls } = setUp(
      { token: jwt("one"), minutes: 60 },
      { token: jwt("one"), minutes: 10 },
      { token: jwt("one"), minutes: 9 },
      { token: jwt("two"), minutes: 60 },
    );
    await credentials.subscribe(listener);
    await vi.advanceTimersByTimeAsync(50 * MINUTE - 1);
    expect(calls.count).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls.count).toBe(2);
    expect(seen).toEqual([]);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(calls.count).toBe(4);
    expect(seen).toEqual([jwt("two")]);
  });

  test("are requested again after a failure of the identity, and an event reports it", async () => {
    const { credentials, listener, problems } = setUp({ token: jwt("one"), minutes: 60 });
    await credentials.subscribe(listener);
    vi.spyOn(Date, "now").mockImplementationOnce(() => {
      throw new Error("away");
    });
    await vi.advanceTimersByTimeAsync(50 * MINUTE);
    expect(problems).toEqual(["identity_unavailable"]);
  });

  test("are refused before they reach Redis if the token contains no object id", async () => {
    const { credentials, listener } = setUp({ token: jwt("one", { sub: "x" }), minutes: 60 });
    await expect(credentials.subscribe(listener)).rejects.toThrow("no object id");
  });

  test("do not reach a closed connection, and the number of connections that get new tokens is bounded", async () => {
    const { credentials, seen, listener } = setUp(
      { token: jwt("one"), minutes: 60 },
      { token: jwt("two"), minutes: 60 },
    );
    const [, gone] = await credentials.subscribe(listener);
    gone.dispose();
    const received = { count: 0 };
    for (let index = 0; index < 200; index++) {
      await credentials.subscribe({ onNext: () => void received.count++, onError: () => undefined });
    }
    await vi.advanceTimersByTimeAsync(51 * MINUTE);
    expect(seen).toEqual([]);
    expect(received.count).toBe(64);
  });
});

describeWithRedis("a Redis with Entra authentication", () => {
  let server: RedisServer;
  const connections: RedisConnection[] = [];
  beforeEach(async () => {
    server = await startRedis();
    await server.command("ACL", "SETUSER", OBJECT_ID, "on", `>${jwt("one")}`, `>${jwt("two")}`, "~*", "+@all");
  });
  afterEach(async () => {
    closeLevels();
    for (const connection of connections.splice(0)) connection.close();
    await server.stop();
  });

  test("accepts the identity's token, and a second token replaces the first on the same connection", async () => {
    const { credentials, problems } = setUp({ token: jwt("one"), minutes: 5 }, { token: jwt("two"), minutes: 60 });
    const connect = async () => {
      const connection = connectToRedis({ url: server.url, credentials, onProblem: (reason) => problems.push(reason) });
      connections.push(connection);
      await connection.connected;
      return connection;
    };
    const first = await connect();
    expect(await first.commands()?.get("key")).toBeNull();
    expect(await authentications(server)).toBe(0);
    await connect();
    await eventually(async () => (await authentications(server)) === 1);
    expect(await first.commands()?.get("key")).toBeNull();
    expect(problems).toEqual([]);
  });

  test("refuses an unknown token: there is no connection, nothing throws, and an event reports it", async () => {
    await server.command("ACL", "SETUSER", OBJECT_ID, "resetpass");
    const { credentials, problems } = setUp({ token: jwt("one"), minutes: 60 });
    const connection = connectToRedis({ url: server.url, credentials, onProblem: (reason) => problems.push(reason) });
    connections.push(connection);
    await eventually(() => problems.includes("WRONGPASS"));
    expect(connection.commands()).toBeUndefined();
  });

  test("accepts the credentials that the cache level uses", async () => {
    const token = async () => ({ token: jwt("one"), expiresOnTimestamp: Date.now() + 60 * MINUTE });
    const { level } = await openLevel(server.url, { token });
    expect((await level.findOrLease("key")).kind).toBe("leased");
    expect(inAnHour()).toBeGreaterThan(0);
  });
});

/** How often an open connection was authenticated again. */
async function authentications(server: RedisServer): Promise<number> {
  const statistics = String(await server.command("INFO", "commandstats"));
  return Number(/cmdstat_auth:calls=(\d+)/.exec(statistics)?.[1] ?? 0);
}
