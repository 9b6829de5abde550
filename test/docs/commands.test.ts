/**
 * The shell commands of README.md, docs/callers.md and docs/command-line.md, run in order as a reader would paste them,
 * against a local stack. Members of an answer become shell variables for later commands (`$grant`). Where a command
 * prints the address of a sign-in, alice signs in there, and the code that comes back is `$code`. Where an answer has a
 * sign-in link, alice allows it. Where `gte login`
 * shows a device code, alice approves it.
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
import { signInByLink } from "../../local/demo/sign-in-by-link.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { fences, markdownFile, root } from "./support/markdown.ts";

interface Command {
  readonly number: number;
  readonly title: string;
  readonly command: string;
  /** The documented answer after the command. */
  readonly example: Record<string, unknown> | undefined;
  /** The code of the refusal that the document shows for this command. */
  readonly refusal: string | undefined;
}

const DOCUMENTED_URL = "http://localhost:7071";
const DOCUMENTED_GRAPH = "https://localhost:7443";
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

  test("contains commands", () => {
    expect(commands.length).toBeGreaterThan(0);
  });

  // In order: later commands use answers of earlier ones.
  test.each(commands)("command $number: $title", async ({ command, example, refusal }) => {
    const output = await run(command);
    const answer = jsonOf(output);
    if (answer === undefined) {
      await follow(output.trim());
      return;
    }
    expect(answer["code"]).toBe(refusal);
    if (refusal !== undefined) return;
    expect(answer).not.toHaveProperty("error");
    // A token, a header object, a link, or what an API answered through the relay.
    expect(["access_token", "headers", "url", "value"].filter((name) => name in answer)).toHaveLength(1);
    if (typeof answer["url"] === "string") await signInByLink(demoOfStack(), answer["url"], "alice");
    if (example !== undefined) {
      expect(Object.keys(answer)).toEqual(Object.keys(example));
    }
    for (const [name, value] of Object.entries(answer)) {
      variables.set(name, String(value));
    }
  });
});

describe.skipIf(missing.length > 0 && !required)("docs/command-line.md", () => {
  const commands = fences(markdownFile("docs/command-line.md").text, "sh").flatMap((code) => code.trim().split("\n"));

  beforeAll(async () => {
    await demoOfStack().control("setDeviceCodeInterval", { seconds: 0.2 });
  });

  test("signs in, prints a header object, calls Graph and lists grants", () => {
    expect(commands.map((command) => /^npx --no -- gte (\w+)/.exec(command)?.[1])).toEqual([
      "login",
      "header",
      "call",
      "grants",
    ]);
  });

  // In order: the first signs in.
  test.each(commands)("%s", async (command) => {
    const output = await run(command);
    if (command.includes("gte header")) {
      expect(Object.keys(JSON.parse(output))).toEqual(["Authorization", "Content-Type"]);
    }
    if (command.includes("gte call")) {
      expect(JSON.parse(output)).toMatchObject({ userPrincipalName: "alice@contoso.local" });
    }
  });
});

/** Commands that need only the running stack: those that name its address, and those that only compute. */
function commandsOf(text: string): Command[] {
  const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, language, code = ""]) => ({
    language,
    code,
  }));
  const commands = blocks.flatMap(({ language, code }, index) => {
    const next = blocks[index + 1];
    const runs = language === "sh" && (code.includes(DOCUMENTED_URL) || !/\bnp[mx]\b/.test(code));
    const example = next?.language === "json" ? (JSON.parse(next.code) as Record<string, unknown>) : undefined;
    if (!runs) return [];
    const shown = next?.language === "text" ? next.code.split("\n") : [];
    return separate(code).map((command, line) => {
      const refusal = /"code":"(\w+)"/.exec(shown[line] ?? "")?.[1];
      return { title: command.split("\n", 1)[0] ?? "", command, example, refusal };
    });
  });
  return commands.map((command, index) => ({ number: index + 1, ...command }));
}

/** A block of several requests, one a line, is as many commands. */
function separate(code: string): string[] {
  const lines = code.trim().split("\n");
  return lines.every((line) => /^curl .*[^\\]$/.test(line)) ? lines : [code];
}

async function run(command: string): Promise<string> {
  const { serviceUrl, graphUrl } = stack.environment;
  // The stack's Node comes first in PATH, as in npm scripts.
  const PATH = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
  const env = { ...process.env, ...Object.fromEntries(variables), PATH, LOCAL_FOLDER: folder };
  const pasted = command.replaceAll(DOCUMENTED_URL, serviceUrl).replaceAll(DOCUMENTED_GRAPH, graphUrl);
  const running = promisify(execFile)("bash", ["-c", `set -euo pipefail\n${pasted}`], { cwd: root, env });
  running.child.stderr?.on("data", approveDeviceCode);
  return (await running).stdout;
}

const demoOfStack = () => createDemo(stack.environment, () => undefined);

function approveDeviceCode(text: Buffer | string): void {
  const userCode = /enter the code (\w+)/.exec(String(text))?.[1];
  if (userCode !== undefined) {
    void demoOfStack().control("approveDeviceCode", { userCode, user: "alice" });
  }
}

function jsonOf(output: string): Record<string, unknown> | undefined {
  return output.startsWith("{") ? (JSON.parse(output) as Record<string, unknown>) : undefined;
}

/** Output that is not JSON: the address of a sign-in, which alice opens, or the verifier and challenge of PKCE. */
async function follow(line: string): Promise<void> {
  if (!line.startsWith(stack.environment.serviceUrl)) {
    expect(line).toMatch(/^[\w.~-]{43,128} [\w-]{43}$/);
    return;
  }
  const browser = createDemoBrowser(demoOfStack());
  const departure = await browser.open(line);
  const browserRequest = await browser.open(await browser.signInAtEntra(departure, "alice"));
  const question = await browser.open(locationOf(browserRequest));
  const done = await browser.open("/signin/confirm", { ...hiddenFields(question), decision: "allow" });
  const [, address = ""] = /http-equiv="refresh" content="0;url=([^"]*)"/.exec(done.text) ?? [];
  const returned = new URL(address.replaceAll("&amp;", "&"));
  expect([...returned.searchParams.keys()].sort()).toEqual(["code", "iss", "state"]);
  variables.set("code", returned.searchParams.get("code") ?? "");
}
