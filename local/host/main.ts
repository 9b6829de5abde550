/**
 * The host as a process: `node local/host/main.ts <app folder> [port]`. As in Azure, the environment of this process is the
 * app's settings. If the process has an IPC channel, it sends `{ type: "ready", port, loadMs }` to its parent. With the third
 * argument `settings-follow`, it first sends `{ type: "listening", port }` and waits for settings that contain this port.
 * On SIGTERM, on SIGINT or when the parent disconnects, the running requests finish, the appTerminate hooks run and the
 * process exits with code 0. If the app cannot be loaded, the reason goes to standard error and the exit code is 1. An
 * uncaught exception after the start ends the process with WORKER_FAILED, and the parent starts it again.
 */
import { once } from "node:events";
import { resolve } from "node:path";
import { type FunctionsHost, startFunctionsHost } from "./functions-host.ts";
import { createLineWriter } from "./host-log.ts";
import { WORKER_FAILED } from "./worker-failed.ts";

async function main(): Promise<void> {
  const [folder, port = "7071", mode] = process.argv.slice(2);
  if (folder === undefined || !/^\d{1,5}$/.test(port)) {
    process.stderr.write("Usage: node local/host/main.ts <app folder> [port]\n");
    process.exit(2);
  }
  const appDirectory = resolve(folder);
  const { writeLine, flush } = createLineWriter();
  const options = { appDirectory, port: Number(port), writeLine, flushLines: flush };
  const leave = () => process.exit(0); // Until the host runs, there is nothing to stop.
  process.on("disconnect", leave);
  const host = await startFunctionsHost(mode === "settings-follow" ? { ...options, onListening } : options);
  process.off("disconnect", leave);
  stopOnSignal(host);
  // Only now, so that an exception during the start is a failed start. An unhandled rejection is an uncaught exception too.
  process.on("uncaughtException", (error) => fail(error, WORKER_FAILED));
  process.send?.({ type: "ready", port: host.port, loadMs: host.loadMs });
}

async function onListening(port: number): Promise<void> {
  process.send?.({ type: "listening", port });
  const [settings] = (await once(process, "message")) as [Record<string, string>];
  Object.assign(process.env, settings);
}

function stopOnSignal(host: FunctionsHost): void {
  let stopping = false;
  const stop = () => {
    if (!stopping) {
      stopping = true;
      host.stop().then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      );
    }
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("disconnect", stop);
}

function fail(error: unknown, code = 1): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(code);
}

main().catch((error: unknown) => fail(error));
