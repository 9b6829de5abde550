import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { forkHost } from "../host.ts";
import { HOST_CORE, pinTo } from "../load/cores.ts";
import { createUsers, headerRequest, plainRequest } from "../load/requests.ts";
import { startRedisChild } from "../redis.ts";
import { digits, type Findings, interleave, median, ms, type Scenario } from "../scenario.ts";
import type { AppName, Settings, World } from "../world.ts";

const AIM = 1.25;

/** Measures the time from the start of the process to its first responses, compared with an empty app with the same bundling. */
export const coldStart: Scenario = {
  name: "cold-start",
  title: "Cold start",
  async run(world, scale): Promise<Findings> {
    const redis = await startRedisChild();
    const [token = ""] = createUsers(world.tenant, 1);
    const exchange = headerRequest(token);
    const healthz = plainRequest("GET", "/healthz");
    try {
      // One exchange puts the token into Redis for the following processes.
      await coldRun(world, "product", [exchange, exchange], { REDIS_URL: redis.url });
      const before = countEntraCalls(world);
      const [product = [], empty = [], shared = []] = await interleave(scale.rounds * 2, [
        () => coldRun(world, "product", [healthz, exchange, exchange]),
        () => coldRun(world, "empty", [healthz, exchange]),
        () => coldRun(world, "product", [healthz, exchange], { REDIS_URL: redis.url }),
      ]);
      // The service without Redis calls Entra once per run. More calls mean that the token in Redis was not used.
      const fromRedis = 2 * product.length - (countEntraCalls(world) - before);
      return report({ product, empty, shared }, fromRedis);
    } finally {
      await redis.stop();
    }
  },
};

const countEntraCalls = ({ tenant }: World) => tenant.state.requestCounts()["token:on-behalf-of"] ?? 0;

/** Times in milliseconds since the start of the process. */
interface ColdRun {
  readonly readyMs: number;
  /** Only the loading of the app. */
  readonly loadMs: number;
  /** The time of each response. */
  readonly answeredMs: readonly number[];
}

async function coldRun(
  world: World,
  app: AppName,
  requests: readonly Buffer[],
  changes: Settings = {},
): Promise<ColdRun> {
  const directory = await world.build(app);
  const started = performance.now();
  const child = forkHost(directory, world.settings(changes), join(directory, "cold.log"));
  pinTo(HOST_CORE, child.pid);
  const [ready] = (await once(child, "message")) as [{ port: number; loadMs: number }];
  const readyMs = performance.now() - started;
  const answeredMs: number[] = [];
  for (const request of requests) {
    await answer(ready.port, request);
    answeredMs.push(performance.now() - started);
  }
  child.kill("SIGTERM");
  await once(child, "exit");
  return { readyMs, loadMs: ready.loadMs, answeredMs };
}

async function answer(port: number, request: Buffer): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.write(request);
  const [chunk] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  const status = chunk.subarray(9, 12).toString();
  if (status !== "200") throw new Error(`A cold host returned ${status}.`);
}

interface Runs {
  readonly product: readonly ColdRun[];
  readonly empty: readonly ColdRun[];
  readonly shared: readonly ColdRun[];
}

function report({ product, empty, shared }: Runs, fromRedis: number): Findings {
  const at = (runs: readonly ColdRun[], index: number) =>
    median(runs.map((run) => run.answeredMs[index] ?? Number.NaN));
  const step = (runs: readonly ColdRun[], index: number) =>
    median(runs.map((run) => (run.answeredMs[index] ?? Number.NaN) - (run.answeredMs[index - 1] ?? Number.NaN)));
  const load = (runs: readonly ColdRun[]) => median(runs.map((run) => run.loadMs));
  const ratio = median(
    product.map((run, index) => (run.answeredMs[0] ?? Number.NaN) / (empty[index]?.answeredMs[0] ?? Number.NaN)),
  );
  const made: readonly (readonly [string, number])[] = [
    ["Node and the local host, without an app", median(product.map((run) => run.readyMs - run.loadMs))],
    ["loading the service", load(product)],
    ["first health response", at(product, 0) - median(product.map((run) => run.readyMs))],
    ["first exchange: keys, MSAL, vault, Entra", step(product, 1)],
    ["next exchange, from the cache", step(product, 2)],
  ];
  return {
    how: `A new process each time, ${product.length} interleaved rounds, on loopback (Entra and the vault respond in about a millisecond, so this is the time of the machine itself).`,
    aims: [
      {
        what: "first health response compared with an empty app",
        aim: `≤ ${AIM} times`,
        measured: digits(ratio, 2),
        met: ratio <= AIM,
      },
    ],
    tables: [
      {
        columns: ["since the process started", "the service", "an empty app"],
        rows: [
          ["app loaded in", ms(load(product)), ms(load(empty))],
          ["first health response", ms(at(product, 0)), ms(at(empty, 0))],
          ["first exchange, with a call to Entra", ms(at(product, 1)), "–"],
          [`first exchange with the token in Redis (used by ${fromRedis} of ${shared.length})`, ms(at(shared, 1)), "–"],
          ["next exchange, from the cache", ms(at(product, 2)), "–"],
        ],
      },
      { columns: ["part", "time"], rows: made.map(([name, value]) => [name, ms(value)]) },
    ],
    plots: [
      {
        kind: "bars",
        title: "Cold start: parts of the first exchange",
        unit: "ms",
        bars: made.map(([label, value]) => ({ label, value })),
      },
    ],
  };
}
