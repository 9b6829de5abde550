/**
 * Runs a command of the repository as its users do, and prints the command and its output.
 */
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { check, type Demo } from "./demo-step.ts";

export const repository = resolve(import.meta.dirname, "../..");

export interface Tool {
  /** The command that the user types. */
  shown: string;
  /** The script, relative to the repository, and its parameters. */
  script: string;
  parameters: readonly string[];
  exitCode?: number;
  /** Called with each piece of standard error. */
  onErrorOutput?: (text: string) => void;
}

export async function runTool(demo: Demo, tool: Tool): Promise<string> {
  const { shown, script, parameters, exitCode = 0, onErrorOutput } = tool;
  demo.say(`$ ${shown}`);
  const child = spawn(process.execPath, [resolve(repository, script), ...parameters], {
    cwd: repository,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    demo.say(text.trim());
    onErrorOutput?.(text);
  });
  const code = await new Promise<number | null>((done) => child.on("close", done));
  for (const line of out.trimEnd().split("\n")) {
    demo.say(line);
  }
  check(code === exitCode, `exit code ${exitCode}, got ${code}`);
  return out;
}
