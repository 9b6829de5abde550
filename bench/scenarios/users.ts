import type { BenchHost } from "../host.ts";
import { type Measurement, measure, warm } from "../load/measure.ts";
import { answerQuickly, createUsers, headerRequest, plainRequest } from "../load/requests.ts";
import { digits, type Findings, interleave, median, ms, type Scale, type Scenario, whole } from "../scenario.ts";
import type { AppName, World } from "../world.ts";

interface Size {
  readonly app: AppName;
  readonly users: number;
  /** Additional cache entries, which are added through the interface of the cache. */
  readonly seeded: number;
}

const SIZES: readonly Size[] = [
  { app: "instrumented", users: 1, seeded: 0 },
  { app: "instrumented", users: 100, seeded: 0 },
  { app: "instrumented", users: 3_000, seeded: 0 },
  { app: "instrumented", users: 10_000, seeded: 0 },
  { app: "instrumented", users: 10_000, seeded: 90_000 },
];
/** MSAL scans all tokens on each lookup. With more users, the warm-up alone takes minutes. */
const USUAL_SIZES: readonly Size[] = [1, 100, 1_000, 3_000].map((users) => ({ app: "usual-way", users, seeded: 0 }));
const FLAT_AIM = 1.2;
const FASTER_AIM = 20;

/** Measures whether the cost of a request grows with the number of users, compared with the usual implementation. */
export const users: Scenario = {
  name: "users",
  title: "Cost by number of users",
  async run(world, scale): Promise<Findings> {
    const shrink = (size: Size) => ({ ...size, users: Math.min(size.users, 5), seeded: Math.min(size.seeded, 10) });
    const sizes = scale.smoke ? SIZES.map(shrink).slice(3) : SIZES;
    const usualSizes = scale.smoke ? USUAL_SIZES.map(shrink).slice(3) : USUAL_SIZES;
    const tokens = createUsers(world.tenant, Math.max(...sizes.map((size) => size.users)));
    const ours = await measureSizes(world, scale, sizes, tokens);
    const usual = await measureSizes(world, scale, usualSizes, tokens);
    return report(ours, usual, scale);
  },
};

interface Measured {
  readonly size: Size;
  readonly rounds: readonly Measurement[];
  readonly bytes: number;
}

async function measureSizes(world: World, scale: Scale, sizes: readonly Size[], tokens: string[]): Promise<Measured[]> {
  const hosts: { size: Size; host: BenchHost; requests: Buffer[] }[] = [];
  for (const size of sizes) {
    const host = await world.startHost(size.app, {
      TOKEN_CACHE_MAX_BYTES: size.seeded > 0 ? "2000000000" : undefined,
      BENCH_CLIENT_SECRET: world.tenant.state.directory.registration("service")?.secrets[0]?.value,
    });
    const requests = tokens.slice(0, size.users).map(headerRequest);
    if (size.seeded > 0) {
      const seed = plainRequest("POST", `/bench/seed/${size.seeded}`);
      await world.client.run({
        port: host.port,
        requests: [seed],
        connections: 1,
        maxRequests: 1,
        maxMs: 600_000,
        order: "in-turn",
      });
    }
    // MSAL's cache distinguishes users by claims in Entra's response, so here the tenant returns complete responses.
    const stopAnswering = size.app === "usual-way" ? () => undefined : answerQuickly(world.tenant);
    await warm(world, host, requests);
    stopAnswering();
    hosts.push({ size, host, requests });
  }
  const load = { connections: 4, maxRequests: Number.MAX_SAFE_INTEGER, maxMs: scale.ms, order: "random" } as const;
  const measured = await interleave(
    scale.rounds,
    hosts.map(
      ({ host, requests }) =>
        () =>
          measure(world, host, { requests, ...load }),
    ),
  );
  const results: Measured[] = [];
  for (const [index, { size, host }] of hosts.entries()) {
    results.push({ size, rounds: measured[index] ?? [], bytes: await readMemoryBytes(host) });
  }
  await Promise.all(hosts.map(({ host }) => host.stop()));
  return results;
}

async function readMemoryBytes({ port }: BenchHost): Promise<number> {
  return Number(await (await fetch(`http://127.0.0.1:${port}/bench/memory`, { method: "POST" })).text());
}

const of = (measured: Measured | undefined, key: "p50Ms" | "p99Ms" | "perSecond") =>
  median(measured?.rounds.map((round) => round[key]) ?? []);

const toPoint = (measured: Measured) => [measured.size.users + measured.size.seeded, of(measured, "p50Ms")] as const;

function report(ours: readonly Measured[], usual: readonly Measured[], scale: Scale): Findings {
  const first = ours[0];
  const flat = (measured: Measured | undefined) =>
    median(measured?.rounds.map((round, index) => round.p50Ms / (first?.rounds[index]?.p50Ms ?? Number.NaN)) ?? []);
  const same = ours.find(({ size }) => size.users === usual.at(-1)?.size.users);
  const faster = of(usual.at(-1), "p50Ms") / of(same, "p50Ms");
  const row = (name: string, measured: Measured, more: readonly string[]) => {
    const { users: count, seeded } = measured.size;
    const people = seeded > 0 ? `${whole(count)} + ${whole(seeded)} seeded` : whole(count);
    return [
      name,
      people,
      ms(of(measured, "p50Ms")),
      ms(of(measured, "p99Ms")),
      whole(of(measured, "perSecond")),
      ...more,
    ];
  };
  const perUser = (measured: Measured, all: readonly Measured[]) =>
    measured.size.users < 1_000
      ? "–"
      : `${digits((measured.bytes - (all[0]?.bytes ?? 0)) / (measured.size.users + measured.size.seeded) / 1_024, 1)} KB`;
  return {
    how: `4 connections, users at random, ${scale.rounds} interleaved rounds of ${scale.ms} ms; memory is measured after a garbage collection, relative to one user. The usual implementation is one shared ConfidentialClientApplication with its own cache and jose on every request, in the same host.`,
    aims: [
      {
        what: "p50 with most users compared with one user",
        aim: `≤ ${FLAT_AIM} times`,
        measured: digits(flat(ours.at(-1)), 2),
        met: flat(ours.at(-1)) <= FLAT_AIM,
      },
      {
        what: `p50 at ${whole(same?.size.users ?? 0)} users compared with the usual implementation`,
        aim: `≥ ${FASTER_AIM} times faster`,
        measured: `${digits(faster, 0)} times`,
        met: faster >= FASTER_AIM,
      },
    ],
    tables: [
      {
        columns: ["", "users", "p50", "p99", "requests/s", "p50 relative to one user", "memory per user"],
        rows: [
          ...ours.map((measured) => row("the service", measured, [digits(flat(measured), 2), perUser(measured, ours)])),
          ...usual.map((measured) => row("the usual implementation", measured, ["", perUser(measured, usual)])),
        ],
      },
    ],
    plots: [
      {
        kind: "lines",
        title: "p50 of a cached exchange by users",
        xLabel: "users in the cache",
        yLabel: "p50, ms",
        lines: [
          { label: "the service", points: ours.map(toPoint) },
          { label: "the usual implementation", points: usual.map(toPoint) },
        ],
      },
    ],
  };
}
