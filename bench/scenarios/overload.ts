import { readFileSync } from "node:fs";
import { startLoadClient } from "../load/client.ts";
import { CLIENT_CORE } from "../load/cores.ts";
import type { LoadResult } from "../load/load.ts";
import { countFailed, measure, warm } from "../load/measure.ts";
import { answerQuickly, createUsers, headerRequest } from "../load/requests.ts";
import { digits, type Findings, median, ms, type Scale, type Scenario, whole } from "../scenario.ts";

const USERS = 100;
/** Connections at which one instance is busy all the time. */
const CAPACITY = 8;
/** What the greedy caller keeps under way, as a multiple of that. */
const FACTORS = [5, 40];
const AIM = 3;
const MEMORY_AIM = 1.1;

/** One caller sends more than an instance can answer. Measures what another caller of the same instance notices. */
export const overload: Scenario = {
  name: "overload",
  title: "A greedy caller",
  async run(world, scale): Promise<Findings> {
    const host = await world.startHost("product");
    const stopAnswering = answerQuickly(world.tenant);
    const greedyRequests = createUsers(world.tenant, scale.smoke ? 5 : USERS).map(headerRequest);
    const polite = [headerRequest(world.tenant.state.mintUserToken({ user: "bob", client: "public" }))];
    await warm(world, host, greedyRequests);
    await warm(world, host, polite);
    stopAnswering();
    const greedy = startLoadClient(CLIENT_CORE);
    const load = { maxRequests: Number.MAX_SAFE_INTEGER, maxMs: scale.ms, order: "random" } as const;
    const quiet = () => measure(world, host, { requests: polite, connections: 1, ...load });
    const rounds: Round[] = [];
    for (let round = 0; round < scale.rounds; round++) {
      for (const factor of scale.smoke ? FACTORS.slice(0, 1) : FACTORS) {
        const idle = await quiet();
        const loud = greedy.run({ port: host.port, requests: greedyRequests, connections: CAPACITY * factor, ...load });
        const [beside, given] = await Promise.all([quiet(), loud]);
        const after = await measure(world, host, { requests: polite, connections: 1, ...load, maxMs: 1_000 });
        rounds.push({ factor, idle, beside, given, after, bytes: residentBytes(host.pid) });
      }
    }
    greedy.stop();
    return report(rounds, scale);
  },
};

interface Round {
  readonly factor: number;
  readonly idle: LoadResult;
  readonly beside: LoadResult;
  /** What the greedy caller got. */
  readonly given: LoadResult;
  /** The polite caller in the second after the load. */
  readonly after: LoadResult;
  readonly bytes: number;
}

function residentBytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1_024;
}

function report(rounds: readonly Round[], { rounds: count, ms: roundMs }: Scale): Findings {
  const ratio = (of: readonly Round[], key: "p50Ms" | "p99Ms") =>
    median(of.map(({ beside, idle }) => beside[key] / idle[key]));
  const first = rounds.filter(({ factor }) => factor === FACTORS[0]);
  const failed = rounds.reduce((sum, { beside, after }) => sum + countFailed(beside) + countFailed(after), 0);
  const recovered = median(rounds.map(({ after, idle }) => after.p50Ms / idle.p50Ms));
  const half = Math.ceil(rounds.length / 2);
  const largest = (of: readonly Round[]) => Math.max(...of.map(({ bytes }) => bytes));
  const memory = rounds.length < 2 ? 1 : largest(rounds.slice(half)) / largest(rounds.slice(0, half));
  const shed = (of: readonly Round[]) => of.reduce((sum, { given }) => sum + countFailed(given), 0);
  const row = (factor: number): string[] => {
    const own = rounds.filter((round) => round.factor === factor);
    return [
      `${factor} times`,
      ms(median(own.map(({ idle }) => idle.p50Ms))),
      ms(median(own.map(({ beside }) => beside.p50Ms))),
      digits(ratio(own, "p50Ms"), 1),
      digits(ratio(own, "p99Ms"), 1),
      whole(median(own.map(({ given }) => given.perSecond))),
      whole(shed(own)),
    ];
  };
  return {
    how: `One caller on one connection with a cached token; another keeps ${FACTORS.join(" and ")} times the ${CAPACITY} requests under way that fill one instance. Both have one policy entry each, with the default limits; ${count} rounds of ${roundMs} ms.`,
    aims: [
      {
        what: `p50 of the polite caller beside ${FACTORS[0]} times the capacity`,
        aim: `≤ ${AIM} times its idle p50`,
        measured: digits(ratio(first, "p50Ms"), 1),
        met: ratio(first, "p50Ms") <= AIM,
      },
      { what: "failed requests of the polite caller", aim: "0", measured: whole(failed), met: failed === 0 },
      {
        what: "p50 of the polite caller in the second after the load",
        aim: "≤ 1.5 times its idle p50",
        measured: digits(recovered, 2),
        met: recovered <= 1.5,
      },
      {
        what: "resident memory, largest in the second half of the rounds ÷ in the first half",
        aim: `≤ ${MEMORY_AIM}`,
        measured: digits(memory, 2),
        met: memory <= MEMORY_AIM,
      },
    ],
    tables: [
      {
        columns: [
          "the greedy caller",
          "idle p50",
          "p50 beside it",
          "p50 ratio",
          "p99 ratio",
          "its answers a second",
          "refused",
        ],
        rows: FACTORS.filter((factor) => rounds.some((round) => round.factor === factor)).map(row),
      },
    ],
    plots: [],
  };
}
