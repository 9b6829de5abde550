/**
 * How this program was started, so that people can paste the commands that messages suggest. npm sets these variables for
 * its child processes. No I/O.
 * https://docs.npmjs.com/cli/using-npm/scripts#environment
 */
import type { Terminal } from "./terminal.ts";

/** `--no` prevents a download. The registry has an unrelated package `gte`, which npx would run in another folder. */
const NPX_IN_CHECKOUT = "npx --no -- gte";

/** Text without characters that are special in a shell. */
const PLAIN = /^[\w@.:/+#-]+$/;

export function startedAs(env: Terminal["env"]): string {
  const script = env["npm_lifecycle_event"];
  if (script === "gte") return "npm run -s gte --";
  const byNpx = script === "npx" && /^['"]?gte\b/.test(env["npm_lifecycle_script"] ?? "");
  if (!byNpx) return "gte";
  const from = env["npm_config_package"] ?? "";
  if (from === "") return NPX_IN_CHECKOUT;
  return PLAIN.test(from) ? `npx --package=${from} gte` : "gte";
}

/** Replaces `gte` in a command with the command that started this program. */
export function asTyped(command: string, env: Terminal["env"]): string {
  return command.replace(/^gte(?= )/, () => startedAs(env));
}
