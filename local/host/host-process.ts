/**
 * The parent's side of the host. It starts main.ts as a child process with exactly the given settings, waits until the
 * host is ready, keeps the last log lines and stops the host. The child listens before it receives the settings, because
 * they can contain its port. If the child ends before it is ready, the error contains the last lines.
 */
import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import { BoundedLog } from "../process/bounded-log.ts";

export interface HostOptions {
  appDirectory: string;
  /** 0: any free port. */
  port: number;
  /** The settings that Node reads when it starts. The others can follow with `run`. */
  settings: Readonly<Record<string, string>>;
  /** Called with each line of the child's output. */
  onLine?: (line: string) => void;
}

/** A child that listens and waits for its settings. */
export interface ListeningHost {
  readonly port: number;
  /** Loads the app. Its environment holds nothing except the settings, PATH, HOME and the other inherited variables. */
  run(settings: Readonly<Record<string, string>>): Promise<HostProcess>;
  stop(): Promise<HostExit>;
}

export interface HostExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface HostProcess {
  url: string;
  port: number;
  pid: number;
  loadMs: number;
  logs: BoundedLog;
  exited: Promise<HostExit>;
  /** Sends SIGTERM and waits until the process has ended. */
  stop(): Promise<HostExit>;
}

/** The variables that every process needs. None is a setting of the app. */
const inherited = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "NODE_V8_COVERAGE"];

export async function startHostProcess(options: HostOptions): Promise<HostProcess> {
  return (await listenAsHost(options)).run(options.settings);
}

export async function listenAsHost(options: HostOptions): Promise<ListeningHost> {
  const { appDirectory, port, settings, onLine } = options;
  const child = fork(new URL("./main.ts", import.meta.url), [appDirectory, String(port), "settings-follow"], {
    cwd: appDirectory,
    env: { ...inheritedEnvironment(), ...settings },
    execArgv: [],
    detached: process.platform !== "win32", // The parent handles Ctrl+C and stops its children in order.
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const logs = new BoundedLog(2_000);
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
  const stop = () => {
    child.kill("SIGTERM");
    return exited;
  };
  const { port: listening } = await receive("listening");
  return {
    port: listening,
    run: async (all) => {
      child.send(all);
      const { loadMs = 0 } = await receive("ready");
      return { url: `http://localhost:${listening}`, port: listening, pid: child.pid ?? 0, loadMs, logs, exited, stop };
    },
    stop,
  };
}

// ---------------------------------------------------------------------------------------------------------------

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
