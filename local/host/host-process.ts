/**
 * The parent's side of the host. It starts main.ts as a child process with exactly the given settings, waits until the
 * host is ready, keeps the last log lines and stops the host. If the child ends before it is ready, the error contains the
 * last lines. If an uncaught exception ends the child, it starts another one on the same port, as the real host restarts its
 * worker; after three restarts it gives up.
 */
import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import { BoundedLog } from "../process/bounded-log.ts";
import { WORKER_FAILED } from "./worker-failed.ts";

export interface HostProcessOptions {
  appDirectory: string;
  /** 0: any free port. */
  port: number;
  /** The app's settings. Its environment holds nothing else except PATH, HOME and the other inherited variables. */
  settings: Readonly<Record<string, string>>;
  /** Called with each line of the child's output. */
  onLine?: (line: string) => void;
}

export interface HostExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface HostProcess {
  url: string;
  port: number;
  /** Of the running child. */
  readonly pid: number;
  readonly loadMs: number;
  logs: BoundedLog;
  exited: Promise<HostExit>;
  /** Sends SIGTERM and waits until the process has ended. */
  stop(): Promise<HostExit>;
}

/** The variables that every process needs. None is a setting of the app. */
const inherited = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "NODE_V8_COVERAGE"];

const maxRestarts = 3;

export async function startHostProcess(options: HostProcessOptions): Promise<HostProcess> {
  const logs = new BoundedLog(2_000);
  const first = await startChild(options, options.port, logs);
  let current = first;
  let stopping = false;
  const watch = async (restarts: number): Promise<HostExit> => {
    const exit = await current.exited;
    if (exit.code !== WORKER_FAILED || stopping || restarts === maxRestarts) return exit;
    current = await startChild(options, first.port, logs);
    if (stopping) {
      current.child.kill("SIGTERM");
    }
    return watch(restarts + 1);
  };
  const exited = watch(0);
  exited.catch(() => undefined); // The error of a failed restart reaches the caller that awaits `exited`.
  return {
    url: `http://localhost:${first.port}`,
    port: first.port,
    get pid() {
      return current.child.pid ?? 0;
    },
    get loadMs() {
      return current.loadMs;
    },
    logs,
    exited,
    stop: () => {
      stopping = true;
      current.child.kill("SIGTERM");
      return exited;
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

interface Child {
  child: ChildProcess;
  port: number;
  loadMs: number;
  exited: Promise<HostExit>;
}

async function startChild(options: HostProcessOptions, port: number, logs: BoundedLog): Promise<Child> {
  const { appDirectory, settings, onLine } = options;
  const child = fork(new URL("./main.ts", import.meta.url), [appDirectory, String(port)], {
    cwd: appDirectory,
    env: { ...inheritedEnvironment(), ...settings },
    execArgv: [],
    detached: process.platform !== "win32", // The parent handles Ctrl+C and stops its children in order.
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const exited = watchExit(child);
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) {
      createInterface({ input: stream }).on("line", (line) => {
        logs.add(line);
        onLine?.(line);
      });
    }
  }
  const ready = await Promise.race([receiveReadyMessage(child), exited]);
  if (!("port" in ready)) {
    throw new Error(`The Functions host ended before it was ready (exit code ${ready.code}):\n${logs.tail(20)}`);
  }
  return { child, port: ready.port, loadMs: ready.loadMs, exited };
}

function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(inherited.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

/** Waits for "close" and not for "exit", so that the last lines have been read. */
function watchExit(child: ChildProcess): Promise<HostExit> {
  return new Promise((resolve, reject) => {
    child.on("close", (code, signal) => resolve({ code, signal }));
    child.on("error", reject);
  });
}

function receiveReadyMessage(child: ChildProcess): Promise<{ port: number; loadMs: number }> {
  return new Promise((resolve) => {
    child.on("message", (message: { type?: string; port: number; loadMs: number }) => {
      if (message.type === "ready") {
        resolve({ port: message.port, loadMs: message.loadMs });
      }
    });
  });
}
