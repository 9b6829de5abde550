import { connect } from "node:net";
import type { BenchHost } from "../host.ts";
import { CLIENT_CORE } from "../load/cores.ts";
import { lost, type Measurement, measure, warm } from "../load/measure.ts";
import { answerQuickly, createUsers, headerRequest, tokenRequest } from "../load/requests.ts";
import { digits, type Findings, interleave, median, ms, type Scale, type Scenario, whole } from "../scenario.ts";
import type { World } from "../world.ts";

const ROUTES = [
  { name: "GET /AuthorizationHeader/graph", request: headerRequest },
  { name: "POST /oauth2/token", request: tokenRequest },
] as const;
const USERS = 100;
const AIM = 0.92;

/** What a cached exchange is held against: the same function, built in two ways. */
const EMPTY = [
  { app: "ordinary", label: "an ordinary empty function" },
  { app: "empty", label: "an empty function built like ours" },
] as const;

/** A cached exchange against a function that reads the same request and answers a constant of the same size. */
export const emptyFunction: Scenario = {
  name: "empty-function",
  title: "A cached exchange and an empty function",
  async run(world, scale): Promise<Findings> {
    const stopAnswering = answerQuickly(world.tenant);
    const tokens = createUsers(world.tenant, scale.smoke ? 5 : USERS);
    const product = await world.startHost("product");
    const compared = [];
    for (const route of ROUTES) {
      compared.push(await compare(world, scale, { product, name: route.name, requests: tokens.map(route.request) }));
    }
    stopAnswering();
    const ratios = compared.flatMap((route) => route.ratios.map((of) => ({ route: route.name, ...of })));
    return {
      how: `${USERS} users, 8 connections, ${scale.rounds} interleaved rounds of ${scale.ms} ms after one that does not count, every other one backwards; the client never sleeps. The empty function reads method, headers and body and answers a constant of the same size. Ordinary: with \`@azure/functions\` as npm gives it; built like ours: with the package compiled from its sources.`,
      aims: ratios.map(({ route, label, ratio }) => ({
        what: `throughput, ${route}, of ${label}`,
        aim: `≥ ${AIM}`,
        measured: digits(ratio, 2),
        met: ratio >= AIM,
      })),
      tables: [
        { columns: ["route", "requests/s", "p50", "p99", "CPU/request"], rows: compared.flatMap(({ rows }) => rows) },
      ],
      plots: [
        {
          kind: "bars",
          title: "Cached exchange: throughput as a share of an empty function's",
          unit: "",
          bars: ratios.map(({ route, label, ratio }) => ({ label: `${route}, of ${label}`, value: ratio })),
        },
      ],
    };
  },
};

async function compare(
  world: World,
  { rounds, ms: maxMs }: Scale,
  { product, name, requests }: { product: BenchHost; name: string; requests: Buffer[] },
) {
  const load = { requests, connections: 8, maxRequests: Number.MAX_SAFE_INTEGER, maxMs, order: "random" } as const;
  await warm(world, product, requests);
  const settings = { BENCH_ANSWER_BYTES: String(await answerBytes(product.port, requests)) };
  const hosts = [{ host: product, label: name }];
  for (const { app, label } of EMPTY) {
    const host = await world.startHost(app, settings);
    await warm(world, host, requests);
    hosts.push({ host, label });
  }
  const awake = CLIENT_CORE !== undefined;
  const measured = await interleave(
    rounds + 1,
    hosts.map(
      ({ host }) =>
        () =>
          measure(world, host, { ...load, awake }),
    ),
  );
  await Promise.all(hosts.slice(1).map(({ host }) => host.stop()));
  // Code may still be on its way through the compilers in the first round.
  const [ours = [], ...others] = measured.map((results) => results.slice(1));
  const failed = [ours, ...others].flat().reduce((sum, result) => sum + lost(result), 0);
  if (failed > 0) throw new Error(`${failed} requests were not answered with 200`);
  return {
    name,
    ratios: others.map((theirs, index) => ({ label: EMPTY[index]?.label ?? "", ratio: ratioOf(ours, theirs) })),
    rows: [ours, ...others].map((results, index) => row(hosts[index]?.label ?? "", results)),
  };
}

/** Median of the rounds' ratios. */
function ratioOf(ours: readonly Measurement[], theirs: readonly Measurement[]): number {
  return median(ours.map((result, round) => result.perSecond / (theirs[round]?.perSecond ?? Number.NaN)));
}

function row(label: string, results: readonly Measurement[]): string[] {
  const of = (key: "perSecond" | "p50Ms" | "p99Ms" | "cpuMicros") => median(results.map((result) => result[key]));
  return [label, whole(of("perSecond")), ms(of("p50Ms")), ms(of("p99Ms")), `${whole(of("cpuMicros"))} µs`];
}

/** Of the body of one answer. */
async function answerBytes(port: number, requests: readonly Buffer[]): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  socket.write(requests[0] ?? "");
  for await (const chunk of socket) {
    const length = /\r\ncontent-length: (\d+)/i.exec(String(chunk))?.[1];
    socket.destroy();
    return Number(length);
  }
  throw new Error("no answer");
}
