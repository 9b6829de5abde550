/** Starts redis-server on loopback without persistence, and waits until it accepts connections. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { BoundedLog } from "./bounded-log.ts";
import { PortInUse } from "./try-ports.ts";

export async function launchRedis(port: number, folder: string, options: readonly string[]): Promise<ChildProcess> {
  const listen = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", "", "--appendonly", "no"];
  const child = spawn("redis-server", [...listen, ...options], { stdio: ["ignore", "pipe", "ignore"] });
  const log = new BoundedLog(50);
  createInterface({ input: child.stdout }).on("line", (line) => log.add(line));
  const ended = new Promise<string>((resolve) => {
    child.on("error", ({ message }) => resolve(`redis-server cannot be started: ${message}`));
    child.on("close", (code) => resolve(`redis-server ended at its start (exit code ${code}):\n${log.tail(10)}`));
  });
  const failure = await Promise.race([log.waitFor("Ready to accept connections").then(() => undefined), ended]);
  if (failure === undefined) return child;
  throw /Address already in use|Failed listening/i.test(failure) ? new PortInUse(failure) : new Error(failure);
}
