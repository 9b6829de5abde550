/**
 * The shell commands of README.md and docs/callers.md, run as a reader would paste them, one after the other, against a
 * local stack. Members of an answer become shell variables for the commands after it (`$grant`); where a command prints
 * the address of a sign-in, alice signs in there, and the code that comes back is `$code`.
 */
import { execFile, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildApp } from "../../local/build/build-app.ts";
import { writeEnvironment } from "../../local/caller/environment.ts";
import { createDemoBrowser, hiddenFields, locationOf } from "../../local/demo/demo-browser.ts";
import { createDemo } from "../../local/demo/demo-step.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { markdownFile, root } from "./support/markdown.ts";

interface Command {
  readonly number: number;
  readonly title: string;
  readonly command: string;
  /** The example that follows it. */
  readonly example: Record<string, unknown> | undefined;
}

const DOCUMENTED_URL = "http://localhost:7071";
const tools = ["bash", "curl", "openssl"];
const missing = tools.filter((tool) => spawnSync(tool, ["--version"]).error !== undefined);
const required = process.env["REQUIRE_ALL_CHECKS"] === "1";
if (missing.length > 0 && !required) {
  process.stderr.write(`\nSKIPPED: the commands of the documents. Install ${missing.join(", ")} to run them.\n\n`);
}

let folder: string;
let stack: Stack;
const variables = new Map<string, string>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gte-commands-"));
  await buildApp({ entry: join(root, "functions/index.ts"), outDirectory: join(folder, "dist") });
  for (const name of ["host.json", "package.json"]) {
    cpSync(join(root, name), join(folder, name));
  }
  stack = await startStack({ appDirectory: folder });
  writeEnvironment(stack.environment, join(folder, "environment.json"));
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(missing.length > 0 && !required).each(["README.md", "docs/callers.md"])("%s", (path) => {
  const commands = commandsOf(markdownFile(path).text);

  test("has commands", () => {
    expect(commands.length).toBeGreaterThan(0);
  });

  // In order: later commands use what earlier ones answered.
  test.each(commands)("$number. $title", async ({ command, example }) => {
    const output = await run(command);
    const answer = jsonOf(output);
    if (answer === undefined) {
      await follow(output.trim());
      return;
    }
    expect(answer).not.toHaveProperty("error");
    expect(answer).toHaveProperty(answer["access_token"] === undefined ? "headers" : "access_token");
    if (example !== undefined) {
      expect(Object.keys(answer)).toEqual(Object.keys(example));
    }
    for (const [name, value] of Object.entries(answer)) {
      variables.set(name, String(value));
    }
  });
});

/** Commands that need nothing but the running stack: those that name it, and those that only compute. */
function commandsOf(text: string): Command[] {
  const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, language, code = ""]) => ({
    language,
    code,
  }));
  const commands = blocks.flatMap(({ language, code }, index) => {
    const next = blocks[index + 1];
    const runs = language === "sh" && (code.includes(DOCUMENTED_URL) || !/\bnp[mx]\b/.test(code));
    const example = next?.language === "json" ? (JSON.parse(next.code) as Record<string, unknown>) : undefined;
    return runs ? [{ title: code.split("\n", 1)[0] ?? "", command: code, example }] : [];
  });
  return commands.map((command, index) => ({ number: index + 1, ...command }));
}

async function run(command: string): Promise<string> {
  const { serviceUrl } = stack.environment;
  // The stack's Node first, as npm puts it for its scripts.
  const PATH = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
  const env = { ...process.env, ...Object.fromEntries(variables), PATH, LOCAL_FOLDER: folder };
  const script = `set -euo pipefail\n${command.replaceAll(DOCUMENTED_URL, serviceUrl)}`;
  const { stdout } = await promisify(execFile)("bash", ["-c", script], { cwd: root, env });
  return stdout;
}

function jsonOf(output: string): Record<string, unknown> | undefined {
  return output.startsWith("{") ? (JSON.parse(output) as Record<string, unknown>) : undefined;
}

/** What is printed and no answer: the address of a sign-in, which alice opens; or PKCE's two values. */
async function follow(line: string): Promise<void> {
  if (!line.startsWith(stack.environment.serviceUrl)) {
    expect(line).toMatch(/^[\w.~-]{43,128} [\w-]{43}$/);
    return;
  }
  const browser = createDemoBrowser(createDemo(stack.environment, () => undefined));
  const departure = await browser.open(line);
  const arrival = await browser.open(await browser.signInAtEntra(departure, "alice"));
  const question = await browser.open(locationOf(arrival));
  const done = await browser.open("/signin/confirm", { ...hiddenFields(question), decision: "allow" });
  const [, address = ""] = /http-equiv="refresh" content="0;url=([^"]*)"/.exec(done.text) ?? [];
  const returned = new URL(address.replaceAll("&amp;", "&"));
  expect([...returned.searchParams.keys()].sort()).toEqual(["code", "iss", "state"]);
  variables.set("code", returned.searchParams.get("code") ?? "");
}
