/** One measurement of a host under load: what the client saw and what the host's processor did. */
import type { BenchHost } from "../host.ts";
import type { World } from "../world.ts";
import { cpuMs } from "./cores.ts";
import type { LoadInput, LoadResult } from "./load.ts";

export interface Measurement extends LoadResult {
  /** Processor time of the host for each request, microseconds. */
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

/** Requests that were not answered with 200. */
export function lost({ statuses, requests }: LoadResult): number {
  return requests - (statuses[200] ?? 0);
}

/** Every request once: caches filled, code compiled. */
export async function warm(
  { client }: Pick<World, "client">,
  host: Pick<BenchHost, "port">,
  requests: readonly Uint8Array[],
): Promise<void> {
  const load = { connections: 8, maxMs: 600_000, order: "in-turn" } as const;
  const filled = await client.run({ port: host.port, requests, maxRequests: requests.length, ...load });
  if (lost(filled) > 0) throw new Error(`while warming up: ${JSON.stringify(filled.statuses)}`);
  const times = Math.min(3_000, requests.length * 100);
  await client.run({ port: host.port, requests, maxRequests: times, ...load, maxMs: 5_000, order: "random" });
}
