/** The load client as a separate process, so that it can run on a separate core. It gets its input and sends its result over IPC. */
import { type LoadInput, runLoad } from "./load.ts";

process.on("message", (input: LoadInput) => {
  void runLoad(input).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit(0));
