/** The client as a process of its own, so that it can have a core of its own: takes orders and answers over IPC. */
import { type LoadInput, runLoad } from "./load.ts";

process.on("message", (input: LoadInput) => {
  void runLoad(input).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit(0));
