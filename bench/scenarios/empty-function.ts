import { connect } from "node:net";
import type { BenchHost } from "../host.ts";
import { CLIENT_CORE } from "../load/cores.ts";
import { countFailed, type Measurement, measure, warm } from "../load/measure.ts";
import { answerQuickly, createUsers, headerRequest, tokenRequest } from "../load/requests.ts";
import { digits, type Findings, interleave, median, ms, type Scale, type Scenario, whole } from "../scenario.ts";
import type { World } from "../world.ts";

const ROUTES = [
  { name: "GET /AuthorizationHeader/graph", request: headerRequest },
  { name: "POST /oauth2/token", request: tokenRequest },
] as const;
const USERS = 100;
const AIM = 0.92;

/** The baselines of a cached exchange: the same empty function, built in two ways. */
const EMPTY = [
  { app: "ordinary", label: "an ordinary empty function" },
  { app: "empty", label: "an empty function built like the service" },
] as const;

/** Compares a cached exchange with a function that reads the same request and returns a constant of the same size. */
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
      how: `${USERS} users, 8 connections, ${scale.rounds} interleaved rounds of ${scale.ms} ms after a warm-up round, every second round in reverse order; the client never sleeps. The empty function reads method, headers and body and returns a constant of the same size. Ordinary: with \`@azure/functions\` as published on npm; built like the service: with the package compiled from its sources.`,
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
  // Drop the first round, in which the JIT may still compile the code.
  const [service = [], ...baselines] = measured.map((results) => results.slice(1));
  const failed = [service, ...baselines].flat().reduce((sum, result) => sum + countFailed(result), 0);
  if (failed > 0) throw new Error(`${failed} requests did not get a 200 response.`);
  return {
    name,
    ratios: baselines.map((baseline, index) => ({
      label: EMPTY[index]?.label ?? "",
      ratio: ratioOf(service, baseline),
    })),
    rows: [service, ...baselines].map((results, index) => row(hosts[index]?.label ?? "", results)),
  };
}

/** The median of the ratios of all rounds. */
function ratioOf(service: readonly Measurement[], baseline: readonly Measurement[]): number {
  return median(service.map((result, round) => result.perSecond / (baseline[round]?.perSecond ?? Number.NaN)));
}

function row(label: string, results: readonly Measurement[]): string[] {
  const of = (key: "perSecond" | "p50Ms" | "p99Ms" | "cpuMicros") => median(results.map((result) => result[key]));
  return [label, whole(of("perSecond")), ms(of("p50Ms")), ms(of("p99Ms")), `${whole(of("cpuMicros"))} µs`];
}

/** The length of the response body in bytes. */
async function answerBytes(port: number, requests: readonly Buffer[]): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  socket.write(requests[0] ?? "");
  for await (const chunk of socket) {
    const length = /\r\ncontent-length: (\d+)/i.exec(String(chunk))?.[1];
    socket.destroy();
    return Number(length);
  }
  throw new Error("The host closed the connection without a response.");
}
