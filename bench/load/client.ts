/** Starts the process of the load client and runs loads in it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { pinTo } from "./cores.ts";
import type { LoadInput, LoadResult } from "./load.ts";

export interface LoadClient {
  run(input: LoadInput): Promise<LoadResult>;
  stop(): void;
}

/** `caPath`: the certificate authority to trust besides those of Node. */
export function startLoadClient(core: number | undefined, caPath?: string): LoadClient {
  const child: ChildProcess = fork(new URL("./client-process.ts", import.meta.url), {
    serialization: "advanced",
    execArgv: [],
    env: { ...process.env, ...(caPath === undefined ? {} : { NODE_EXTRA_CA_CERTS: caPath }) },
  });
  pinTo(core, child.pid);
  return {
    async run(input) {
      const answer = once(child, "message");
      child.send(input);
      const [result] = await answer;
      return result as LoadResult;
    },
    stop: () => child.disconnect(),
  };
}
