import { measure } from "../load/measure.ts";
import { answerQuickly, createUsers, headerRequest, plainRequest } from "../load/requests.ts";
import { digits, type Findings, interleave, median, ms, type Scale, type Scenario, whole } from "../scenario.ts";
import type { World } from "../world.ts";

const ENTRA_MS = 20;
const AIM = 1.15;
const IDENTICAL = 1_000;

/** Compares an exchange that calls Entra with a function that only sends the same POST. */
export const uncached: Scenario = {
  name: "uncached",
  title: "An exchange that calls Entra",
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
    // One warm-up round each, so that the JIT compiles the code.
    await measure(world, product, { requests: fresh(), ...load });
    await measure(world, empty, { requests: post, ...load });
    const [service = [], baseline = []] = await interleave(scale.rounds, [
      () => measure(world, product, { requests: fresh(), ...load }),
      () => measure(world, empty, { requests: post, ...load }),
    ]);
    const upstream = await identical(world, product.port, scale);
    stopAnswering();
    return report(service, baseline, upstream, each);
  },
};

type Rounds = Awaited<ReturnType<typeof measure>>[];

function report(service: Rounds, baseline: Rounds, upstream: number, each: number): Findings {
  const ratio = median(service.map((round, index) => round.p50Ms / (baseline[index]?.p50Ms ?? Number.NaN)));
  const row = (name: string, rounds: Rounds, share: string) => [
    name,
    ms(median(rounds.map((round) => round.p50Ms))),
    share,
    ms(median(rounds.map((round) => round.p99Ms))),
    `${whole(median(rounds.map((round) => round.cpuMicros)))} µs`,
  ];
  return {
    how: `Entra responds after ${ENTRA_MS} ms; 4 connections, ${service.length} interleaved rounds of ${each} requests, each with a new token. The empty function sends the same POST with the same HTTP client.`,
    aims: [
      {
        what: "p50 compared with the empty function with the same POST",
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
        columns: ["", "p50", "ratio", "p99", "CPU/request"],
        rows: [row("exchange", service, digits(ratio, 2)), row("the same POST from an empty function", baseline, "1")],
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

/** The last POST of the service to Entra, which the empty function repeats. */
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
    throw new Error(`${count} identical requests did not all succeed: ${JSON.stringify(result.statuses)}`);
  }
  return (world.tenant.state.requestCounts()["token:on-behalf-of"] ?? 0) - before;
}
