/**
 * A real redis-server, from Debian's package: a child on loopback, nothing on disk. Where it is not installed, the
 * suites that need it are skipped, loudly; with REQUIRE_ALL_CHECKS=1 they fail instead.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "@redis/client";
import { describe } from "vitest";
import { freePort } from "../../../../../local/process/free-port.ts";

const installed = spawnSync("redis-server", ["--version"]).status === 0;

if (!installed && process.env["REQUIRE_ALL_CHECKS"] !== "1") {
  process.stderr.write("\nSKIPPED: tests with a real Redis. Install redis-server to run them.\n\n");
}

/** `describe`, where there is a redis-server or where there must be one. */
export const describeWithRedis = installed || process.env["REQUIRE_ALL_CHECKS"] === "1" ? describe : describe.skip;

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>;
  /** On the same port. */
  restart(): Promise<void>;
  /** SIGSTOP and SIGCONT: there, and silent. */
  freeze(): void;
  thaw(): void;
  /** As an administrator, on a connection of its own. */
  command(...args: (string | Buffer)[]): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startRedis(options: readonly string[] = [], chosenPort?: number): Promise<RedisServer> {
  const port = chosenPort ?? (await freePort());
  const directory = mkdtempSync(join(tmpdir(), "gte-redis-"));
  let child = await launch(port, directory, options);
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill,
    async restart() {
      await kill();
      child = await launch(port, directory, options);
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async command(...args) {
      const client = createClient({ url: `redis://127.0.0.1:${port}` });
      await client.connect();
      try {
        return await client.sendCommand(args);
      } finally {
        client.destroy();
      }
    },
    async stop() {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

async function launch(port: number, directory: string, options: readonly string[]): Promise<ChildProcess> {
  const args = ["--bind", "127.0.0.1", "--port", String(port), "--dir", directory, "--save", "", "--appendonly", "no"];
  const child = spawn("redis-server", [...args, ...options], { stdio: "ignore" });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`redis-server ended at its start (exit code ${code})`);
  });
  ended.catch(() => undefined);
  await Promise.race([listening(port), ended]);
  return child;
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 250; attempt++) {
    if (await answers(port)) return;
    await pause(20);
  }
  throw new Error("redis-server does not listen");
}

function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return new Promise((resolve) => {
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
