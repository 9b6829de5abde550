/**
 * The PowerShell and C# that the playground shows, run against a local stack with the playground.
 * test/local/playground/snippets.test.ts runs curl and Python.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildApp } from "../../local/build/build-app.ts";
import { applicationToken, userToken } from "../../local/caller/caller-token.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { playFlow } from "../local/playground/ask-playground.ts";
import { root } from "./support/markdown.ts";
import { findPowerShell, runPowerShell, windowsPowerShellProblems } from "./support/powershell.ts";
import { dotnetVersion, removePrograms, runDotnet } from "./support/run-snippet.ts";

let folder: string;
let stack: Stack;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gte-playground-"));
  await buildApp({ entry: join(root, "functions/index.ts"), outDirectory: join(folder, "dist") });
  for (const name of ["host.json", "package.json"]) cpSync(join(root, name), join(folder, name));
  stack = await startStack({ appDirectory: folder, playground: true });
});
afterAll(async () => {
  await stack?.stop();
  await removePrograms();
  rmSync(folder, { recursive: true, force: true });
});

/** A request without a body, with a form, with two tokens in a form, and with JSON. */
const FLOWS = ["header", "on-behalf-of", "token-exchange", "grant-link"];

async function codeOf(flow: string, language: string): Promise<string> {
  const { snippets } = await playFlow(stack, { flow, caller: "web", person: "alice" });
  return snippets.find((snippet) => snippet.language === language)?.code ?? "";
}

/** Each flow's own token in the environment, in place of the commands that print them. */
async function tokensFor(flow: string): Promise<Record<string, string>> {
  const person = await userToken(stack.environment, "alice");
  const application = (caller: string) => applicationToken(stack.environment, caller);
  if (flow === "token-exchange") return { TOKEN: await application("web"), SUBJECT: person };
  return { TOKEN: flow === "grant-link" ? await application("daemon") : person };
}

const ANSWERS = ["authorizationHeader", "access_token", "issued_token_type", "gte_"];

const powershell = findPowerShell();
describe.skipIf(powershell === undefined)("PowerShell of the playground", () => {
  test.each(FLOWS.map((flow, index) => [flow, ANSWERS[index] ?? ""]))("%s runs, in 5.1 too", async (flow, answer) => {
    const code = (await codeOf(flow, "powershell")).replaceAll(/^\$(\w+) = npm run .*$/gm, "$$$1 = $$env:$1");
    expect(await windowsPowerShellProblems(powershell ?? "", code)).toEqual([]);
    const run = await runPowerShell(powershell ?? "", `${code} | ConvertTo-Json`, await tokensFor(flow));
    expect([run.code, run.errors]).toEqual([0, ""]);
    expect(run.out).toContain(answer);
  });
});

describe.skipIf(dotnetVersion() === undefined)("C# of the playground", () => {
  test("compiles and gets each flow's answer", async () => {
    const program = ["using System.Text;"];
    const env: Record<string, string> = {};
    for (const [index, flow] of FLOWS.entries()) {
      for (const [name, value] of Object.entries(await tokensFor(flow))) env[`${name}_${index}`] = value;
      const code = (await codeOf(flow, "csharp")).replace("using System.Text;", "");
      program.push(`{${code.replaceAll(/Variable\("(\w+)"\)/g, `Variable("$1_${index}")`)}}`);
    }
    const lines = (await runDotnet(program.join("\n"), { ...process.env, ...env })).trim().split("\n");
    expect(lines.map((line) => line.slice(0, 4))).toEqual(["200 ", "200 ", "200 ", "201 "]);
    for (const [index, answer] of ANSWERS.entries()) expect(lines[index]).toContain(answer);
  });
});
