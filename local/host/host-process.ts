/**
 * The parent's side of the host. It starts main.ts as a child process with exactly the given settings, waits until the
 * host is ready, keeps the last log lines and stops the host. The child listens before it receives the settings, because
 * they can contain its port. If the child ends before it is ready, the error contains the last lines. If an uncaught
 * exception ends the child, the parent starts another one on the same port, as the real host restarts its worker; after
 * three restarts it gives up.
 */
import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import { BoundedLog } from "../process/bounded-log.ts";
import { WORKER_FAILED } from "./worker-failed.ts";

type Settings = Readonly<Record<string, string>>;

export interface HostOptions {
  appDirectory: string;
  /** 0: any free port. */
  port: number;
  /** The settings that Node reads when it starts. The others can follow with `run`. */
  settings: Settings;
  /** Called with each line of the child's output. */
  onLine?: (line: string) => void;
}

/** A child that listens and waits for its settings. */
export interface ListeningHost {
  readonly port: number;
  /** Loads the app. Its environment holds nothing except the settings, PATH, HOME and the other inherited variables. */
  run(settings: Settings): Promise<HostProcess>;
  stop(): Promise<HostExit>;
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
const inherited = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "NODE_V8_COVERAGE", "NODE_COMPILE_CACHE"];

const maxRestarts = 3;

export async function startHostProcess(options: HostOptions): Promise<HostProcess> {
  return (await listenAsHost(options)).run(options.settings);
}

export async function listenAsHost(options: HostOptions): Promise<ListeningHost> {
  const logs = new BoundedLog(2_000);
  const child = await startChild(options, options.port, logs);
  return {
    port: child.port,
    run: (settings) => superviseHost(child, settings, { options, logs }),
    stop: () => {
      child.process.kill("SIGTERM");
      return child.exited;
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** Loads the app in the listening child, and in another child when an uncaught exception has ended one. */
async function superviseHost(
  first: Child,
  settings: Settings,
  { options, logs }: { readonly options: HostOptions; readonly logs: BoundedLog },
): Promise<HostProcess> {
  let current = first;
  let loadMs = await first.load(settings);
  let stopping = false;
  const watch = async (restarts: number): Promise<HostExit> => {
    const exit = await current.exited;
    if (exit.code !== WORKER_FAILED || stopping || restarts === maxRestarts) return exit;
    current = await startChild(options, first.port, logs);
    if (stopping) {
      current.process.kill("SIGTERM");
      return current.exited;
    }
    loadMs = await current.load(settings);
    return watch(restarts + 1);
  };
  const exited = watch(0);
  exited.catch(() => undefined); // `exited` reports a restart that failed to the code that waits for the end.
  return {
    url: `http://localhost:${first.port}`,
    port: first.port,
    get pid() {
      return current.process.pid ?? 0;
    },
    get loadMs() {
      return loadMs;
    },
    logs,
    exited,
    stop: () => {
      stopping = true;
      current.process.kill("SIGTERM");
      return exited;
    },
  };
}

interface Child {
  readonly process: ChildProcess;
  readonly port: number;
  readonly exited: Promise<HostExit>;
  /** Sends the settings. Resolves with the time to load the app, milliseconds. */
  load(settings: Settings): Promise<number>;
}

/** Starts a child and waits until it listens. */
async function startChild(
  { appDirectory, settings, onLine }: HostOptions,
  port: number,
  logs: BoundedLog,
): Promise<Child> {
  const child = fork(new URL("./main.ts", import.meta.url), [appDirectory, String(port), "settings-follow"], {
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
  const receive = async (type: HostMessage["type"]): Promise<HostMessage> => {
    const message = await Promise.race([receiveMessage(child, type), exited]);
    if ("type" in message) return message;
    throw new Error(`The Functions host ended before it was ready (exit code ${message.code}):\n${logs.tail(20)}`);
  };
  const listening = await receive("listening");
  return {
    process: child,
    port: listening.port,
    exited,
    async load(all) {
      child.send(all);
      const { loadMs = 0 } = await receive("ready");
      return loadMs;
    },
  };
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

interface HostMessage {
  readonly type: "listening" | "ready";
  readonly port: number;
  readonly loadMs?: number;
}

function receiveMessage(child: ChildProcess, type: HostMessage["type"]): Promise<HostMessage> {
  return new Promise((resolve) => {
    child.on("message", (message: HostMessage) => {
      if (message.type === type) resolve(message);
    });
  });
}
