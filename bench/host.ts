/**
 * A Functions host for benchmarks: the local host in a child, its log going to a file instead of a pipe, because the
 * reader of a pipe would be this process, on the client's core, and the host would wait for it.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { HOST_CORE, pinTo } from "./load/cores.ts";

export interface BenchHost {
  readonly port: number;
  readonly pid: number;
  /** What the app's load cost, as the host measured it. */
  readonly loadMs: number;
  stop(): Promise<void>;
}

export interface BenchHostInput {
  readonly appDirectory: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly logPath: string;
}

/** Pinned from its start, so that it counts from its first instruction. */
export async function startBenchHost({ appDirectory, settings, logPath }: BenchHostInput): Promise<BenchHost> {
  const child = forkHost(appDirectory, settings, logPath);
  pinTo(HOST_CORE, child.pid);
  const [ready] = (await Promise.race([once(child, "message"), ended(child)])) as [{ port: number; loadMs: number }];
  return {
    port: ready.port,
    pid: child.pid ?? 0,
    loadMs: ready.loadMs,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
    },
  };
}

export function forkHost(
  appDirectory: string,
  settings: Readonly<Record<string, string>>,
  logPath: string,
  port = 0,
): ChildProcess {
  const log = openSync(logPath, "a");
  try {
    return fork(new URL("../local/host/main.ts", import.meta.url), [appDirectory, String(port)], {
      cwd: appDirectory,
      env: { PATH: process.env["PATH"] ?? "", ...settings },
      execArgv: [],
      stdio: ["ignore", log, log, "ipc"],
    });
  } finally {
    closeSync(log);
  }
}

async function ended(child: ChildProcess): Promise<never> {
  const [code] = await once(child, "exit");
  throw new Error(`the host ended before it was ready (exit code ${code})`);
}
