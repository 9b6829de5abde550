import { readFileSync } from "node:fs";
import { localPolicy } from "../../local/stack/policy.ts";
import type { BenchHost } from "../host.ts";
import { quantiles } from "../load/load.ts";
import { countFailed, type Measurement, measure, warm } from "../load/measure.ts";
import { createUsers } from "../load/requests.ts";
import { digits, type Findings, interleave, median, ms, type Scale, type Scenario, whole } from "../scenario.ts";
import type { World } from "../world.ts";

/**
 * About the times of requests to Graph. With them, the requests in flight wait for the API and not for a processor. If all
 * took the same time, all connections would send in the same moment, again and again.
 */
const API_MS = Array.from({ length: 21 }, (_, index) => 150 + ((index * 8) % 21) * 10);
const MEAN_MS = 250;
const IN_FLIGHT = 100;
const ADDED_AIM_MS = 10;
const FLAT_AIM = 1.25;
const LARGE_BYTES = 5 * 1024 * 1024;

/** Measures what the relay adds to a call of an API, and its memory with the largest bodies. */
export const relay: Scenario = {
  name: "relay",
  title: "The relay compared with a direct call",
  async run(world, scale): Promise<Findings> {
    const host = await world.startHost("product", { POLICY: policy() });
    const [token = ""] = createUsers(world.tenant, 1);
    const added = await measureAddedTime(world, host, token, scale);
    const memory = await measureMemory(world, host, token, scale);
    return report(added, memory, scale);
  },
};

/** The people of the web application may send these requests. */
function policy(): string {
  const downstream = { graph: [{ methods: ["GET", "PUT"], path: "/v1.0/me/drive/items/*/content" }] };
  const callers = localPolicy.callers.map((entry) => (entry.name === "web-users" ? { ...entry, downstream } : entry));
  return JSON.stringify({ ...localPolicy, callers });
}

const pathOf = (item: number) => `/v1.0/me/drive/items/${item}/content`;

function request(method: "GET" | "PUT", path: string, token: string, body = Buffer.alloc(0)): Buffer {
  const length = body.byteLength === 0 ? "" : `Content-Length: ${body.byteLength}\r\n`;
  const head = `${method} ${path} HTTP/1.1\r\nHost: localhost:7071\r\nAuthorization: Bearer ${token}\r\n${length}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

interface Added {
  readonly relayed: readonly Measurement[];
  readonly direct: readonly Measurement[];
}

async function measureAddedTime(world: World, host: BenchHost, token: string, scale: Scale): Promise<Added> {
  const { tenant } = world;
  const answer = { endpoint: "graph", times: 0, status: 200, body: { value: "x".repeat(4_096) } } as const;
  const relayed = API_MS.map((apiMs) => request("GET", `/DownstreamApi/graph${pathOf(apiMs)}`, token));
  const quick = tenant.state.order(answer);
  await warm(world, host, relayed);
  tenant.state.clearOrders({ id: quick });
  const slow = API_MS.map((apiMs) => tenant.state.order({ ...answer, path: pathOf(apiMs), delayMs: apiMs }));
  const load = {
    connections: scale.smoke ? 5 : IN_FLIGHT,
    maxRequests: Number.MAX_SAFE_INTEGER,
    // Several turns of every connection.
    maxMs: Math.max(scale.ms, 4 * MEAN_MS),
    order: "in-turn",
    behindMs: API_MS,
    // Otherwise the first request of every connection waits for those of all others.
    rampMs: MEAN_MS,
  } as const;
  const api = { port: Number(new URL(tenant.url).port), pid: host.pid };
  const direct = API_MS.map((apiMs) => request("GET", pathOf(apiMs), token));
  // The host's connections to the API are open in every round, as those of the direct calls are.
  requireSuccess([await measure(world, host, { requests: relayed, ...load })]);
  const [throughRelay = [], toApi = []] = await interleave(scale.rounds, [
    () => measure(world, host, { requests: relayed, ...load }),
    () => measure(world, api, { ...load, requests: direct, tls: true, host: "localhost" }),
  ]);
  for (const id of slow) tenant.state.clearOrders({ id });
  requireSuccess([...throughRelay, ...toApi]);
  return { relayed: throughRelay, direct: toApi };
}

interface Memory {
  /** Resident set of the host after each round, bytes. */
  readonly rounds: readonly number[];
  readonly requests: number;
}

/** Bodies of 5 MB in both directions, four at a time. */
async function measureMemory(world: World, host: BenchHost, token: string, scale: Scale): Promise<Memory> {
  const size = scale.smoke ? 64 * 1024 : LARGE_BYTES;
  const id = world.tenant.state.order({ endpoint: "graph", times: 0, status: 200, body: "x".repeat(size) });
  const requests = [request("PUT", `/DownstreamApi/graph${pathOf(1)}`, token, Buffer.alloc(size, 1))];
  const each = scale.smoke ? 4 : 40;
  const rounds: number[] = [];
  for (let round = 0; round <= scale.rounds; round++) {
    const load = { requests, connections: 4, maxRequests: each, maxMs: 120_000, order: "in-turn" } as const;
    requireSuccess([await measure(world, host, load)]);
    rounds.push(residentBytes(host.pid));
  }
  world.tenant.state.clearOrders({ id });
  return { rounds, requests: each };
}

function requireSuccess(measurements: readonly Measurement[]): void {
  const failed = measurements.find((measurement) => measurement.requests === 0 || countFailed(measurement) > 0);
  if (failed !== undefined) throw new Error(`Not every answer was 200: ${JSON.stringify(failed.statuses)}`);
}

/** Linux only, as the pinning of the processes. */
function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1_024;
}

function report({ relayed, direct }: Added, memory: Memory, scale: Scale): Findings {
  // Of all rounds together: the 1 % of one round are ten requests, too few for a p99.
  const pooled = (rounds: readonly Measurement[]) => quantiles(rounds.flatMap(({ latenciesMs }) => [...latenciesMs]));
  const [through, toApi] = [pooled(relayed), pooled(direct)];
  const addedMs = (key: "p50Ms" | "p99Ms") => through[key] - toApi[key];
  const row = (name: string, { p50Ms, p99Ms }: ReturnType<typeof pooled>, rounds: readonly Measurement[]) => [
    name,
    ms(p50Ms),
    ms(p99Ms),
    whole(median(rounds.map((round) => round.perSecond))),
    `${whole(median(rounds.map((round) => round.cpuMicros)))} µs`,
  ];
  const [first = Number.NaN, ...later] = memory.rounds;
  const growth = (later.at(-1) ?? first) / first;
  const megabytes = (bytes: number) => `${whole(bytes / 1_048_576)} MB`;
  return {
    how: `The API answers 4 KB after ${Math.min(...API_MS)} to ${Math.max(...API_MS)} ms, in a mixed order; the times below are without that time. ${IN_FLIGHT} requests in flight, ${scale.rounds} interleaved rounds after one that does not count; p50 and p99 are of all rounds together. The direct calls go from the same client to the same API over TLS. Memory: ${memory.requests} requests a round with 5 MB in each direction, four at a time.`,
    aims: [
      {
        what: `p99 with ${IN_FLIGHT} requests in flight, more than a direct call`,
        aim: `≤ ${ADDED_AIM_MS} ms`,
        measured: ms(addedMs("p99Ms")),
        met: addedMs("p99Ms") <= ADDED_AIM_MS,
      },
      {
        what: "memory after the last round compared with the first, with bodies of 5 MB",
        aim: `≤ ${FLAT_AIM} times`,
        measured: digits(growth, 2),
        met: growth <= FLAT_AIM,
      },
    ],
    tables: [
      {
        columns: ["beyond the API's own time", "p50", "p99", "requests/s", "host's processor time per request"],
        rows: [
          row("through the relay", through, relayed),
          [...row("direct", toApi, direct).slice(0, -1), "–"],
          ["added", ms(addedMs("p50Ms")), ms(addedMs("p99Ms")), "", ""],
        ],
      },
      {
        columns: memory.rounds.map((_, round) => `memory after round ${round + 1}`),
        rows: [memory.rounds.map(megabytes)],
      },
    ],
    plots: [],
  };
}
