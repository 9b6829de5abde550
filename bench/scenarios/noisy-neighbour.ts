import { startLoadClient } from "../load/client.ts";
import { CLIENT_CORE } from "../load/cores.ts";
import { countFailed, measure, warm } from "../load/measure.ts";
import { answerQuickly, createUsers, headerRequest } from "../load/requests.ts";
import { digits, type Findings, interleave, median, ms, type Scale, type Scenario, whole } from "../scenario.ts";
import type { World } from "../world.ts";

const USERS = 100;
const AIM = 1.2;

/** Entra throttles one user, who keeps sending requests. Measures the effect on the other users. */
export const noisyNeighbour: Scenario = {
  name: "noisy-neighbour",
  title: "A noisy neighbour",
  async run(world, scale): Promise<Findings> {
    const stopAnswering = answerQuickly(world.tenant);
    const product = await world.startHost("product");
    const others = createUsers(world.tenant, scale.smoke ? 5 : USERS).map(headerRequest);
    await warm(world, product, others);
    const bob = [headerRequest(world.tenant.state.mintUserToken({ user: "bob", client: "web" }))];
    await warm(world, product, bob);
    stopAnswering();
    const order = world.tenant.state.order({
      endpoint: "token",
      client: "service",
      user: "alice",
      throttleSeconds: 3_600,
      times: 0,
    });
    const stopOthers = answerQuickly(world.tenant);
    const noisy = startLoadClient(CLIENT_CORE);
    const alice = Array.from({ length: 500 }, (_, index) =>
      headerRequest(
        world.tenant.state.mintUserToken({ user: "alice", client: "web", claims: { uti: `noisy-${index}` } }),
      ),
    );
    const beside = async (neighbour: readonly Buffer[]) => {
      const load = { maxRequests: Number.MAX_SAFE_INTEGER, maxMs: scale.ms, order: "random" } as const;
      const loud = noisy.run({ port: product.port, requests: neighbour, connections: 1, ...load });
      const quiet = await measure(world, product, { requests: others, connections: 4, ...load });
      return { quiet, loud: await loud };
    };
    await beside(alice);
    const [calm = [], throttled = []] = await interleave(scale.rounds, [() => beside(bob), () => beside(alice)]);
    noisy.stop();
    stopOthers();
    const reached = countThrottledCalls(world);
    world.tenant.state.clearOrders({ id: order });
    return report(calm, throttled, reached, scale);
  },
};

type Rounds = {
  quiet: Awaited<ReturnType<typeof measure>>;
  loud: { requests: number; statuses: Readonly<Record<number, number>> };
}[];

/** Number of calls for the throttled user that reached Entra. */
function countThrottledCalls({ tenant }: World): number {
  const oid = tenant.state.directory.user("alice")?.oid ?? "";
  return tenant.state.requests({ endpoint: "token", user: oid }).filter(({ status }) => status === 429).length;
}

function report(calm: Rounds, throttled: Rounds, reached: number, { rounds, ms: roundMs }: Scale): Findings {
  const ratio = median(throttled.map(({ quiet }, index) => quiet.p50Ms / (calm[index]?.quiet.p50Ms ?? Number.NaN)));
  const failed = throttled.reduce((sum, { quiet }) => sum + countFailed(quiet), 0);
  const refused = throttled.reduce((sum, { loud }) => sum + (loud.statuses[429] ?? 0), 0);
  const row = (name: string, all: Rounds) => [
    name,
    whole(all.reduce((sum, { quiet }) => sum + quiet.requests, 0)),
    ms(median(all.map(({ quiet }) => quiet.p50Ms))),
    ms(median(all.map(({ quiet }) => quiet.p99Ms))),
  ];
  return {
    how: `${USERS} users on 4 connections, one more user on a fifth connection sends requests without a pause: in half of the rounds from the cache, in the other half throttled by Entra; ${rounds} interleaved rounds of ${roundMs} ms.`,
    aims: [
      { what: "failed requests of the other users", aim: "0", measured: String(failed), met: failed === 0 },
      {
        what: "p50 of the other users while the neighbour is throttled",
        aim: `≤ ${AIM} times`,
        measured: digits(ratio, 2),
        met: ratio <= AIM,
      },
    ],
    tables: [
      {
        columns: ["the other users, while the neighbour", "requests", "p50", "p99"],
        rows: [row("is served from the cache", calm), row("is throttled", throttled)],
      },
      {
        columns: ["the throttled neighbour", ""],
        rows: [
          ["requests with a 429 response", whole(refused)],
          ["of these, calls to Entra", whole(reached)],
        ],
      },
    ],
    plots: [],
  };
}
