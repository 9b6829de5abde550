/** Assigns the cores of this machine: client and tenant on one, the measured host on another. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

const canPin = process.platform === "linux" && spawnSync("taskset", ["--version"]).status === 0;

/** Undefined if the machine has only one core or has no `taskset`. */
export const CLIENT_CORE = canPin && availableParallelism() > 1 ? 0 : undefined;
export const HOST_CORE = canPin && availableParallelism() > 1 ? 1 : undefined;

/** Moves a process with all its threads. */
export function pinTo(core: number | undefined, pid: number | undefined): void {
  if (core !== undefined && pid !== undefined) {
    spawnSync("taskset", ["-a", "-c", "-p", String(core), String(pid)]);
  }
}

/** Processor time of a process in milliseconds, or NaN without /proc. */
export function cpuMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    // Fields 14 and 15 of proc(5), in ticks of 10 ms.
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}
