/** Runs redis-server as a child process on loopback without persistence. */
import { once } from "node:events";
import { tmpdir } from "node:os";
import { launchRedis } from "../local/process/redis-process.ts";
import { tryPorts } from "../local/process/try-ports.ts";

export interface RedisChild {
  readonly url: string;
  kill(): Promise<void>;
  /** Starts again on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedisChild(): Promise<RedisChild> {
  const launch = (port: number) => launchRedis(port, tmpdir(), []);
  const [port, first] = await tryPorts(async (candidate) => [candidate, await launch(candidate)] as const);
  let child = first;
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    async restart() {
      await kill();
      child = await launch(port);
    },
    stop: kill,
  };
}
