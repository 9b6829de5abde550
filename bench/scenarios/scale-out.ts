import { setTimeout as pause } from "node:timers/promises";
import type { BenchHost } from "../host.ts";
import { startLoadClient } from "../load/client.ts";
import { CLIENT_CORE } from "../load/cores.ts";
import { lost } from "../load/measure.ts";
import { answerQuickly, createUsers, headerRequest } from "../load/requests.ts";
import { type RedisChild, startRedisChild } from "../redis.ts";
import { digits, type Findings, median, ms, type Scale, type Scenario, whole } from "../scenario.ts";
import type { World } from "../world.ts";

const INSTANCES = 3;
const ENTRA_MS = 20;

/** Three instances, one Redis: how often Entra is asked for one key, and what is lost when Redis dies. */
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
      const shared = await askEverywhere(world, clients, hosts, tokens.slice(1));
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
      if (client === undefined) throw new Error("an instance without a client");
      return client.run({ port: host.port, requests, connections: 4, order: "in-turn", ...limits });
    }),
  );
}

type Loaded = Awaited<ReturnType<typeof loadAll>>;

const questions = ({ tenant }: World) => tenant.state.requestCounts()["token:on-behalf-of"] ?? 0;

async function askEverywhere(world: World, clients: Clients, hosts: readonly BenchHost[], tokens: readonly string[]) {
  const before = questions(world);
  const loaded = await loadAll(clients, hosts, tokens.map(headerRequest), {
    maxRequests: tokens.length,
    maxMs: 120_000,
  });
  return { loaded, questions: questions(world) - before };
}

/** A third of the time with Redis, a third without, a third with it again. */
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

function report(keys: number, shared: { loaded: Loaded; questions: number }, outage: Loaded): Findings {
  const perKey = shared.questions / keys;
  const gone = outage.reduce((sum, result) => sum + lost(result), 0);
  const all = outage.reduce((sum, result) => sum + result.requests, 0);
  return {
    how: `${INSTANCES} instances on one core ask for ${whole(keys)} keys at the same time, in the same order; Entra answers after ${ENTRA_MS} ms. Then Redis is killed a third into a load and started again at two thirds.`,
    aims: [
      { what: "calls to Entra for each distinct key", aim: "1", measured: digits(perKey, 3), met: perKey <= 1.01 },
      {
        what: "requests lost when Redis dies and comes back",
        aim: "0",
        measured: `${gone} of ${whole(all)}`,
        met: gone === 0,
      },
    ],
    tables: [
      {
        columns: ["", "requests", "p50", "p99", "longest"],
        rows: [
          ["all keys for the first time", ...times(shared.loaded)],
          ["while Redis dies and comes back", ...times(outage)],
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
