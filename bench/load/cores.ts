/** Cores of this machine: the client and the tenant on one, the host that is measured on another. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

const canPin = process.platform === "linux" && spawnSync("taskset", ["--version"]).status === 0;

/** Undefined where the machine has one core, or cannot pin. */
export const CLIENT_CORE = canPin && availableParallelism() > 1 ? 0 : undefined;
export const HOST_CORE = canPin && availableParallelism() > 1 ? 1 : undefined;

/** Moves a process with all its threads. */
export function pinTo(core: number | undefined, pid: number | undefined): void {
  if (core !== undefined && pid !== undefined) {
    spawnSync("taskset", ["-a", "-c", "-p", String(core), String(pid)]);
  }
}

/** Processor time that a process has used so far, milliseconds; NaN where /proc is not. */
export function cpuMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    // Fields 14 and 15 of proc(5), in ticks of 10 ms.
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}
