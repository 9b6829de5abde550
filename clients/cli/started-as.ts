/**
 * How this was started, so that a command to run next pastes as it stands: npm tells its children. No I/O.
 * https://docs.npmjs.com/cli/using-npm/scripts#environment
 */
import type { Terminal } from "./terminal.ts";

/** `--no`: fetches nothing. The registry has a `gte`, and it is a stranger's; elsewhere npx would run that one. */
const NPX_IN_CHECKOUT = "npx --no -- gte";

/** Means nothing to a shell. */
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

/** A command of ours as it has to be typed here. */
export function asTyped(command: string, env: Terminal["env"]): string {
  return command.replace(/^gte(?= )/, () => startedAs(env));
}
