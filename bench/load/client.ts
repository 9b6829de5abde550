/** Starts the process of the load client and runs loads in it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { pinTo } from "./cores.ts";
import type { LoadInput, LoadResult } from "./load.ts";

export interface LoadClient {
  run(input: LoadInput): Promise<LoadResult>;
  stop(): void;
}

export function startLoadClient(core: number | undefined): LoadClient {
  const child: ChildProcess = fork(new URL("./client-process.ts", import.meta.url), {
    serialization: "advanced",
    execArgv: [],
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
