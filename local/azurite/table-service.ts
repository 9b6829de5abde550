/**
 * Azurite's table service, and only that, as a child process: in memory, without telemetry, on a loopback port. It
 * stands in for Azure Table Storage, ETag conflicts (412) included.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { BoundedLog } from "../process/bounded-log.ts";
import { freePort } from "../process/free-port.ts";

export interface TableService {
  /** `http://127.0.0.1:PORT/devstoreaccount1` */
  url: string;
  pid: number;
  logs: BoundedLog;
  /** Resolves with the exit code when the process has ended without being asked to. */
  died: Promise<number | null>;
  stop(): Promise<void>;
}

/** Azurite's well-known account. Public, the same on every machine, good for nothing else. */
export const devStoreAccount = {
  name: "devstoreaccount1",
  key: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
} as const;

export async function startTableService(): Promise<TableService> {
  const port = await freePort(); // Azurite takes no port 0.
  const folder = mkdtempSync(join(tmpdir(), "gte-azurite-"));
  const entry = createRequire(import.meta.url).resolve("azurite/dist/src/table/main.js");
  const address = ["--tableHost", "127.0.0.1", "--tablePort", String(port)];
  const options = ["--inMemoryPersistence", "--disableTelemetry", "--silent"];
  const child = spawn(process.execPath, [endWithParent, entry, ...address, ...options], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], TMPDIR: process.env["TMPDIR"] },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: process.platform !== "win32", // A Ctrl+C is for the parent, which stops its parts in order.
  });
  const logs = new BoundedLog(200);
  collect(child, logs);
  const exited = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      rmSync(folder, { recursive: true, force: true });
      resolve(code);
    });
  });
  const end = await Promise.race([logs.waitFor("successfully started").then(() => "ready" as const), exited]);
  if (end !== "ready") {
    throw new Error(`Azurite's table service ended before it was ready (exit code ${end}):\n${logs.tail(10)}`);
  }
  const died = Promise.withResolvers<number | null>();
  let asked = false;
  void exited.then((code) => asked || died.resolve(code));
  return {
    url: `http://127.0.0.1:${port}/${devStoreAccount.name}`,
    pid: child.pid ?? 0,
    logs,
    died: died.promise,
    stop: async () => {
      asked = true;
      // Nothing to save: everything is in memory.
      child.kill("SIGKILL");
      await exited;
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** Azurite itself would outlive a parent that was killed. */
const endWithParent = '--import=data:text/javascript,process.on("disconnect",()=>process.exit())';

function collect(child: ChildProcess, logs: BoundedLog): void {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) {
      createInterface({ input: stream }).on("line", (line) => logs.add(line));
    }
  }
}
