/**
 * The host as a process: `node local/host/main.ts <app folder> [port]`. The app's settings are this process's
 * environment and nothing else, as in Azure. Says `{ type: "ready", port, loadMs }` over IPC where there is IPC.
 * SIGTERM, SIGINT and the loss of the parent stop it: requests under way finish, appTerminate hooks run, exit code 0.
 * An app that cannot be loaded: the reason on standard error, exit code 1.
 */
import { resolve } from "node:path";
import { type FunctionsHost, startFunctionsHost } from "./functions-host.ts";
import { createLineWriter } from "./host-log.ts";

async function main(): Promise<void> {
  const [folder, port = "7071"] = process.argv.slice(2);
  if (folder === undefined || !/^\d{1,5}$/.test(port)) {
    process.stderr.write("Usage: node local/host/main.ts <app folder> [port]\n");
    process.exit(2);
  }
  const appDirectory = resolve(folder);
  const { writeLine, flush } = createLineWriter();
  const host = await startFunctionsHost({ appDirectory, port: Number(port), writeLine, flushLines: flush });
  stopOnSignal(host);
  process.send?.({ type: "ready", port: host.port, loadMs: host.loadMs });
}

function stopOnSignal(host: FunctionsHost): void {
  let stopping = false;
  const stop = () => {
    if (!stopping) {
      stopping = true;
      host.stop().then(() => process.exit(0), fail);
    }
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("disconnect", stop);
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}

main().catch(fail);
