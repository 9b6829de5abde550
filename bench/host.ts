/**
 * A Functions host for benchmarks: the local host in a child process. Its log goes to a file, because this process, which
 * runs on the client's core, would have to read a pipe, and the host would wait for it.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { HOST_CORE, pinTo } from "./load/cores.ts";

export interface BenchHost {
  readonly port: number;
  readonly pid: number;
  /** Time for loading the app, as the host measured it. */
  readonly loadMs: number;
  stop(): Promise<void>;
}

export interface BenchHostInput {
  readonly appDirectory: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly logPath: string;
}

/** Pins the process immediately, so that all of its work is on the host core. */
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
  throw new Error(`The host ended before it was ready (exit code ${code}).`);
}
