import { measure } from "../load/measure.ts";
import { answerQuickly, createUsers, headerRequest, plainRequest } from "../load/requests.ts";
import { digits, type Findings, interleave, median, ms, type Scale, type Scenario, whole } from "../scenario.ts";
import type { World } from "../world.ts";

const ENTRA_MS = 20;
const AIM = 1.15;
const IDENTICAL = 1_000;

/** An exchange that asks Entra, against a function that makes the same POST and nothing else. */
export const uncached: Scenario = {
  name: "uncached",
  title: "An exchange that asks Entra",
  async run(world, scale): Promise<Findings> {
    const each = scale.smoke ? 20 : 400;
    const stopAnswering = answerQuickly(world.tenant, ENTRA_MS);
    const [alice = ""] = createUsers(world.tenant, 1);
    const product = await world.startHost("product");
    const once = { connections: 1, maxRequests: 1, maxMs: 30_000, order: "in-turn" } as const;
    await world.client.run({ port: product.port, requests: [headerRequest(alice)], ...once });
    const empty = await world.startHost("empty", postSettings(world));
    const fresh = () => Array.from({ length: each }, (_, index) => headerRequest(anotherToken(world, index)));
    const load = { connections: 4, maxRequests: each, maxMs: 60_000, order: "in-turn" } as const;
    const post = [plainRequest("POST", "/post")];
    // One round of each to compile the code.
    await measure(world, product, { requests: fresh(), ...load });
    await measure(world, empty, { requests: post, ...load });
    const [ours = [], theirs = []] = await interleave(scale.rounds, [
      () => measure(world, product, { requests: fresh(), ...load }),
      () => measure(world, empty, { requests: post, ...load }),
    ]);
    const upstream = await identical(world, product.port, scale);
    stopAnswering();
    return report(ours, theirs, upstream, each);
  },
};

type Rounds = Awaited<ReturnType<typeof measure>>[];

function report(ours: Rounds, theirs: Rounds, upstream: number, each: number): Findings {
  const ratio = median(ours.map((round, index) => round.p50Ms / (theirs[index]?.p50Ms ?? Number.NaN)));
  const row = (name: string, rounds: Rounds, share: string) => [
    name,
    ms(median(rounds.map((round) => round.p50Ms))),
    share,
    ms(median(rounds.map((round) => round.p99Ms))),
    `${whole(median(rounds.map((round) => round.cpuMicros)))} µs`,
  ];
  return {
    how: `Entra answers after ${ENTRA_MS} ms; 4 connections, ${ours.length} interleaved rounds of ${each} requests, each with a token that was never seen before. The empty function makes the same POST with the same HTTP client.`,
    aims: [
      {
        what: "p50 against the empty function with the same POST",
        aim: `≤ ${AIM} times`,
        measured: digits(ratio, 2),
        met: ratio <= AIM,
      },
      {
        what: `calls to Entra for ${whole(IDENTICAL)} identical concurrent requests`,
        aim: "1",
        measured: String(upstream),
        met: upstream === 1,
      },
    ],
    tables: [
      {
        columns: ["", "p50", "of empty", "p99", "CPU/request"],
        rows: [row("exchange", ours, digits(ratio, 2)), row("the same POST from an empty function", theirs, "1")],
      },
    ],
    plots: [],
  };
}

let serial = 0;

function anotherToken({ tenant }: World, index: number): string {
  serial += 1;
  return tenant.state.mintUserToken({ user: "alice", client: "web", claims: { uti: `bench-${serial}-${index}` } });
}

/** What the product posted last, for the empty function to post too. */
function postSettings({ tenant }: World): Record<string, string> {
  const posted = tenant.state.requests({ endpoint: "token", grantType: "on-behalf-of" }).at(-1);
  return {
    BENCH_TOKEN_URL: `${tenant.url}${posted?.path}`,
    BENCH_TOKEN_FORM: new URLSearchParams(posted?.form).toString(),
  };
}

async function identical(world: World, port: number, { smoke }: Scale): Promise<number> {
  const count = smoke ? 50 : IDENTICAL;
  const before = world.tenant.state.requestCounts()["token:on-behalf-of"] ?? 0;
  const requests = [headerRequest(anotherToken(world, 0))];
  const result = await world.client.run({
    port,
    requests,
    connections: count,
    maxRequests: count,
    maxMs: 60_000,
    order: "in-turn",
  });
  if ((result.statuses[200] ?? 0) !== count) {
    throw new Error(`of ${count} identical requests: ${JSON.stringify(result.statuses)}`);
  }
  return (world.tenant.state.requestCounts()["token:on-behalf-of"] ?? 0) - before;
}
