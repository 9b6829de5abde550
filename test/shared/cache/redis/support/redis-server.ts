/**
 * A real redis-server, from Debian's package: a child on loopback, nothing on disk. Where it is not installed, the
 * suites that need it are skipped with a message; with REQUIRE_ALL_CHECKS=1 they fail instead.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { describe } from "vitest";
import { launchRedis } from "../../../../../local/process/redis-process.ts";
import { tryPorts } from "../../../../../local/process/try-ports.ts";

const installed = spawnSync("redis-server", ["--version"]).status === 0;

if (!installed && process.env["REQUIRE_ALL_CHECKS"] !== "1") {
  process.stderr.write("\nSKIPPED: tests with a real Redis. Install redis-server to run them.\n\n");
}

/** `describe` if redis-server is installed or required. */
export const describeWithRedis = installed || process.env["REQUIRE_ALL_CHECKS"] === "1" ? describe : describe.skip;

export interface RedisServer {
  readonly port: number;
  /** The port of the option in `secondPort`, such as `--tls-port`. */
  readonly secondPort: number;
  readonly url: string;
  /** SIGKILL: no orderly shutdown. */
  kill(): Promise<void>;
  /** On the same port. */
  restart(): Promise<void>;
  /** SIGSTOP and SIGCONT: connections stay open, but the server does not reply. */
  freeze(): void;
  thaw(): void;
  /** As an administrator, on a separate connection. */
  command(...args: (string | Buffer)[]): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startRedis(given: readonly string[] = [], second?: string): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), "gte-redis-"));
  const launch = (port: number, secondPort: number) => {
    const options = second === undefined ? given : [second, String(secondPort), ...given];
    return launchRedis(port, directory, options);
  };
  const start = (port: number) =>
    tryPorts(async (secondPort) => ({ port, secondPort, first: await launch(port, secondPort) }));
  const { port, secondPort, first } = await tryPorts(start);
  let child = first;
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  };
  return {
    port,
    secondPort,
    url: `redis://127.0.0.1:${port}`,
    kill,
    async restart() {
      await kill();
      child = await launch(port, secondPort);
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
