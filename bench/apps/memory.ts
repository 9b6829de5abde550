/** `POST /bench/memory`: the memory of the process in bytes after a garbage collection. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { app } from "@azure/functions";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

app.http("bench-memory", {
  authLevel: "anonymous",
  methods: ["POST"],
  route: "bench/memory",
  handler: async () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return { status: 200, body: String(heapUsed + external) };
  },
});
