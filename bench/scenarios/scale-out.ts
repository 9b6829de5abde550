import { setTimeout as pause } from "node:timers/promises";
import type { BenchHost } from "../host.ts";
import { startLoadClient } from "../load/client.ts";
import { CLIENT_CORE } from "../load/cores.ts";
import { countFailed } from "../load/measure.ts";
import { answerQuickly, createUsers, headerRequest } from "../load/requests.ts";
import { type RedisChild, startRedisChild } from "../redis.ts";
import { digits, type Findings, median, ms, type Scale, type Scenario, whole } from "../scenario.ts";
import type { World } from "../world.ts";

const INSTANCES = 3;
const ENTRA_MS = 20;

/** Three instances with one Redis: counts the calls to Entra for each key, and the failed requests when Redis stops. */
export const scaleOut: Scenario = {
  name: "scale-out",
  title: "Three instances, one Redis",
  async run(world, scale): Promise<Findings> {
    const redis = await startRedisChild();
    const stopAnswering = answerQuickly(world.tenant, ENTRA_MS);
    const clients = Array.from({ length: INSTANCES }, () => startLoadClient(CLIENT_CORE));
    try {
      const hosts = await Promise.all(
        Array.from({ length: INSTANCES }, () => world.startHost("product", { REDIS_URL: redis.url })),
      );
      const keys = scale.smoke ? 10 : 500;
      const tokens = createUsers(world.tenant, keys + 1);
      // Each instance connects to Redis with its first request.
      const [first = ""] = tokens;
      await loadAll(clients, hosts, [headerRequest(first)], { maxRequests: 1, maxMs: 30_000 });
      await pause(500);
      const shared = await exchangeEverywhere(world, clients, hosts, tokens.slice(1));
      const outage = await killUnderLoad(world, clients, hosts, redis, scale);
      return report(keys, shared, outage);
    } finally {
      for (const client of clients) {
        client.stop();
      }
      stopAnswering();
      await redis.stop();
    }
  },
};

type Clients = readonly ReturnType<typeof startLoadClient>[];

function loadAll(
  clients: Clients,
  hosts: readonly BenchHost[],
  requests: readonly Buffer[],
  limits: { maxRequests: number; maxMs: number },
) {
  return Promise.all(
    hosts.map((host, index) => {
      const client = clients[index];
      if (client === undefined) throw new Error("An instance has no load client.");
      return client.run({ port: host.port, requests, connections: 4, order: "in-turn", ...limits });
    }),
  );
}

type Loaded = Awaited<ReturnType<typeof loadAll>>;

const countEntraCalls = ({ tenant }: World) => tenant.state.requestCounts()["token:on-behalf-of"] ?? 0;

async function exchangeEverywhere(
  world: World,
  clients: Clients,
  hosts: readonly BenchHost[],
  tokens: readonly string[],
) {
  const before = countEntraCalls(world);
  const loaded = await loadAll(clients, hosts, tokens.map(headerRequest), {
    maxRequests: tokens.length,
    maxMs: 120_000,
  });
  return { loaded, calls: countEntraCalls(world) - before };
}

/** Runs a load for three equal periods: with Redis, without Redis, with Redis again. */
async function killUnderLoad(
  world: World,
  clients: Clients,
  hosts: readonly BenchHost[],
  redis: RedisChild,
  scale: Scale,
) {
  const third = scale.smoke ? 500 : 4_000;
  const tokens = Array.from({ length: scale.smoke ? 100 : 4_000 }, (_, index) =>
    world.tenant.state.mintUserToken({ user: "alice", client: "web", claims: { uti: `outage-${index}` } }),
  );
  const running = loadAll(clients, hosts, tokens.map(headerRequest), {
    maxRequests: Number.MAX_SAFE_INTEGER,
    maxMs: 3 * third,
  });
  await pause(third);
  await redis.kill();
  await pause(third);
  await redis.restart();
  return running;
}

function report(keys: number, shared: { loaded: Loaded; calls: number }, outage: Loaded): Findings {
  const perKey = shared.calls / keys;
  const failed = outage.reduce((sum, result) => sum + countFailed(result), 0);
  const all = outage.reduce((sum, result) => sum + result.requests, 0);
  return {
    how: `${INSTANCES} instances on one core request ${whole(keys)} keys at the same time, in the same order; Entra responds after ${ENTRA_MS} ms. Then Redis is killed after one third of a load and restarted after two thirds.`,
    aims: [
      { what: "calls to Entra per distinct key", aim: "1", measured: digits(perKey, 3), met: perKey <= 1.01 },
      {
        what: "failed requests while Redis stops and restarts",
        aim: "0",
        measured: `${failed} of ${whole(all)}`,
        met: failed === 0,
      },
    ],
    tables: [
      {
        columns: ["", "requests", "p50", "p99", "longest"],
        rows: [
          ["all keys for the first time", ...times(shared.loaded)],
          ["while Redis stops and restarts", ...times(outage)],
        ],
      },
    ],
    plots: [],
  };
}

function times(loaded: Loaded): string[] {
  const of = (key: "p50Ms" | "p99Ms") => ms(median(loaded.map((result) => result[key])));
  const requests = loaded.reduce((sum, result) => sum + result.requests, 0);
  return [whole(requests), of("p50Ms"), of("p99Ms"), ms(Math.max(...loaded.map((result) => result.maxMs)))];
}
