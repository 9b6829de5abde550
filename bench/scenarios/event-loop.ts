import { measure, warm } from "../load/measure.ts";
import { answerQuickly, createUsers, headerRequest } from "../load/requests.ts";
import { type Findings, median, ms, type Scenario, whole } from "../scenario.ts";

const USERS = 1_000;

/** Measures the event-loop delay under load from the cache. */
export const eventLoop: Scenario = {
  name: "event-loop",
  title: "Event-loop delay under cached load",
  async run(world, scale): Promise<Findings> {
    const stopAnswering = answerQuickly(world.tenant);
    const host = await world.startHost("instrumented");
    const requests = createUsers(world.tenant, scale.smoke ? 5 : USERS).map(headerRequest);
    await warm(world, host, requests);
    stopAnswering();
    const readDelay = async () => {
      const answer = await fetch(`http://127.0.0.1:${host.port}/bench/event-loop`, { method: "POST" });
      return (await answer.json()) as { p50Ms: number; p99Ms: number; maxMs: number };
    };
    await readDelay();
    const delays: Awaited<ReturnType<typeof readDelay>>[] = [];
    const loads: number[] = [];
    for (let round = 0; round < scale.rounds; round++) {
      const load = {
        requests,
        connections: 8,
        maxRequests: Number.MAX_SAFE_INTEGER,
        maxMs: scale.ms,
        order: "random",
      } as const;
      loads.push((await measure(world, host, load)).perSecond);
      delays.push(await readDelay());
    }
    const of = (key: "p50Ms" | "p99Ms" | "maxMs") => ms(median(delays.map((delay) => delay[key])));
    return {
      how: `${whole(USERS)} users, 8 connections without a pause, ${scale.rounds} rounds of ${scale.ms} ms; a timer of 1 ms measures the delay (so 1 ms means no delay), and the process is fully loaded.`,
      aims: [],
      tables: [
        {
          columns: ["requests/s", "delay p50", "p99", "longest"],
          rows: [[whole(median(loads)), of("p50Ms"), of("p99Ms"), of("maxMs")]],
        },
      ],
      plots: [],
    };
  },
};
