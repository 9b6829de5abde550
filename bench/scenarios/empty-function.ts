import { connect } from "node:net";
import { lost, measure, warm } from "../load/measure.ts";
import { answerQuickly, createUsers, headerRequest, tokenRequest } from "../load/requests.ts";
import { digits, type Findings, interleave, median, ms, type Scale, type Scenario, whole } from "../scenario.ts";
import type { World } from "../world.ts";

const ROUTES = [
  { name: "GET /AuthorizationHeader/graph", request: headerRequest },
  { name: "POST /oauth2/token", request: tokenRequest },
] as const;
const USERS = 100;
const AIM = 0.92;

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
    return {
      how: `${USERS} users, 8 connections, ${scale.rounds} interleaved rounds of ${scale.ms} ms; the empty function reads method, headers and body and answers a constant of the same size.`,
      aims: compared.map(({ name, ratio }) => ({
        what: `throughput, ${name}`,
        aim: `≥ ${AIM} of the empty function's`,
        measured: digits(ratio, 2),
        met: ratio >= AIM,
      })),
      tables: [
        {
          columns: ["route", "requests/s", "of empty", "p50", "p99", "CPU/request"],
          rows: compared.flatMap(({ rows }) => rows),
        },
      ],
      plots: [
        {
          kind: "bars",
          title: "Cached exchange: throughput as a share of an empty function's",
          unit: "",
          bars: compared.map(({ name, ratio }) => ({ label: name, value: ratio })),
        },
      ],
    };
  },
};

async function compare(
  world: World,
  { rounds, ms: maxMs }: Scale,
  { product, name, requests }: { product: { port: number; pid: number }; name: string; requests: Buffer[] },
) {
  const load = { requests, connections: 8, maxRequests: Number.MAX_SAFE_INTEGER, maxMs, order: "random" } as const;
  await warm(world, product, requests);
  const empty = await world.startHost("empty", {
    BENCH_ANSWER_BYTES: String(await answerBytes(product.port, requests)),
  });
  await warm(world, empty, requests);
  const [ours = [], theirs = []] = await interleave(rounds, [
    () => measure(world, product, load),
    () => measure(world, empty, load),
  ]);
  await empty.stop();
  const failed = [...ours, ...theirs].reduce((sum, result) => sum + lost(result), 0);
  if (failed > 0) {
    throw new Error(`${failed} requests were not answered with 200`);
  }
  const of = (results: typeof ours, key: "perSecond" | "p50Ms" | "p99Ms" | "cpuMicros") =>
    median(results.map((result) => result[key]));
  const ratio = median(ours.map((result, round) => result.perSecond / (theirs[round]?.perSecond ?? Number.NaN)));
  const row = (label: string, results: typeof ours, share: string) => [
    label,
    whole(of(results, "perSecond")),
    share,
    ms(of(results, "p50Ms")),
    ms(of(results, "p99Ms")),
    `${whole(of(results, "cpuMicros"))} µs`,
  ];
  return { name, ratio, rows: [row(name, ours, digits(ratio, 2)), row("the empty function", theirs, "1")] };
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
