/**
 * Runs Azurite's table service as a child process: in memory, without telemetry, on a loopback port. It stands in for
 * Azure Table Storage, including ETag conflicts (412).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { BoundedLog } from "../process/bounded-log.ts";

export interface TableService {
  /** `http://127.0.0.1:PORT/devstoreaccount1` */
  url: string;
  pid: number;
  logs: BoundedLog;
  /** Resolves with the exit code if the process ends unexpectedly. */
  endedUnexpectedly: Promise<number | null>;
  stop(): Promise<void>;
}

/** Azurite's well-known account. It is public and the same on every machine. */
export const devStoreAccount = {
  name: "devstoreaccount1",
  key: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
} as const;

export async function startTableService(): Promise<TableService> {
  const folder = mkdtempSync(join(tmpdir(), "gte-azurite-"));
  const entry = createRequire(import.meta.url).resolve("azurite/dist/src/table/main.js");
  const address = ["--tableHost", "127.0.0.1", "--tablePort", "0"];
  const options = ["--inMemoryPersistence", "--disableTelemetry", "--silent"];
  const child = spawn(process.execPath, [...asChild, entry, ...address, ...options], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], TMPDIR: process.env["TMPDIR"] },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: process.platform !== "win32", // The parent handles Ctrl+C and stops its children in order.
  });
  const logs = new BoundedLog(200);
  collect(child, logs);
  const exited = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      rmSync(folder, { recursive: true, force: true });
      resolve(code);
    });
  });
  const started = Promise.all([receivePort(child), logs.waitFor("successfully started")]).then(([port]) => ({ port }));
  const end = await Promise.race([started, exited]);
  if (end === null || typeof end === "number") {
    throw new Error(`Azurite's table service ended before it was ready (exit code ${end}):\n${logs.tail(10)}`);
  }
  const endedUnexpectedly = Promise.withResolvers<number | null>();
  let stopping = false;
  void exited.then((code) => stopping || endedUnexpectedly.resolve(code));
  return {
    url: `http://127.0.0.1:${end.port}/${devStoreAccount.name}`,
    pid: child.pid ?? 0,
    logs,
    endedUnexpectedly: endedUnexpectedly.promise,
    stop: async () => {
      stopping = true;
      // All data is in memory, so nothing is lost.
      child.kill("SIGKILL");
      await exited;
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** Node options with which Azurite listens on any free port (`--tablePort 0`), reports it, and ends with its parent. */
export const asChild = ["--import", new URL("./as-child.mjs", import.meta.url).href] as const;

/** The port that as-child.mjs reports. */
export function receivePort(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.once("message", ({ port }: { port: number }) => resolve(port)));
}

function collect(child: ChildProcess, logs: BoundedLog): void {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) {
      createInterface({ input: stream }).on("line", (line) => logs.add(line));
    }
  }
}
