/** One measurement of a host under load: the results of the client and the processor time of the host. */
import type { BenchHost } from "../host.ts";
import type { World } from "../world.ts";
import { cpuMs } from "./cores.ts";
import type { LoadInput, LoadResult } from "./load.ts";

export interface Measurement extends LoadResult {
  /** Processor time of the host per request in microseconds. */
  readonly cpuMicros: number;
}

export async function measure(
  { client }: Pick<World, "client">,
  { port, pid }: Pick<BenchHost, "port" | "pid">,
  load: Omit<LoadInput, "port">,
): Promise<Measurement> {
  const before = cpuMs(pid);
  const result = await client.run({ port, ...load });
  return { ...result, cpuMicros: ((cpuMs(pid) - before) * 1_000) / result.requests };
}

/** Number of requests without a 200 response. */
export function countFailed({ statuses, requests }: LoadResult): number {
  return requests - (statuses[200] ?? 0);
}

/** Sends every request once to fill the caches, and then more so that the JIT compiles the code. */
export async function warm(
  { client }: Pick<World, "client">,
  host: Pick<BenchHost, "port">,
  requests: readonly Uint8Array[],
): Promise<void> {
  const load = { connections: 8, maxMs: 600_000, order: "in-turn" } as const;
  const filled = await client.run({ port: host.port, requests, maxRequests: requests.length, ...load });
  if (countFailed(filled) > 0) {
    throw new Error(`Requests failed during the warm-up: ${JSON.stringify(filled.statuses)}`);
  }
  const times = Math.min(3_000, requests.length * 100);
  await client.run({ port: host.port, requests, maxRequests: times, ...load, maxMs: 5_000, order: "random" });
}
