/** The code that the playground shows, run as a reader runs it, from the folder of the repository. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeEnvironment } from "../../../local/caller/environment.ts";
import { toSnippets } from "../../../local/playground/snippets/snippets.ts";
import type { Trace } from "../../../local/playground/trace/trace.ts";
import type { Stack } from "../../../local/stack/stack.ts";
import { startTestStack } from "../../support/test-stack.ts";
import { playFlow } from "./ask-playground.ts";

const root = resolve(import.meta.dirname, "../../..");
const missing = ["bash", "curl", "python3"].filter((tool) => spawnSync(tool, ["--version"]).error !== undefined);
if (missing.length > 0)
  process.stderr.write(`\nSKIPPED: the snippets of the playground. Install ${missing.join(", ")}.\n\n`);

let folder: string;
let stack: Stack;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gte-playground-"));
  stack = await startTestStack({ playground: true });
  writeEnvironment(stack.environment, join(folder, "environment.json"));
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const environment = (values: Readonly<Record<string, string>> = {}) => ({
  ...process.env,
  PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
  LOCAL_FOLDER: folder,
  ...values,
});

async function run(command: string, parameters: string[], values?: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await promisify(execFile)(command, parameters, { cwd: root, env: environment(values) });
  return stdout;
}

const codeOf = ({ snippets }: Trace, language: string): string =>
  snippets.find((snippet) => snippet.language === language)?.code ?? "";

/** The variables that the Python code reads, by the commands in its comments. */
async function valuesFor(code: string): Promise<Record<string, string>> {
  const commands = [...code.matchAll(/^(\w+) = os\.environ\["\w+"\] {2}# (npm run .*)$/gm)];
  const values = commands.map(async ([, name = "", command = ""]) => [
    name,
    (await run("bash", ["-c", command])).trim(),
  ]);
  return Object.fromEntries(await Promise.all(values));
}

/** What each caller gets: a part of the answer that only this request has. */
const FLOWS: readonly (readonly [flow: string, caller: string, answer: RegExp])[] = [
  ["header", "web", /"authorizationHeader"/],
  ["on-behalf-of", "intranet", /"access_token"/],
  ["token-exchange", "web", /"issued_token_type"/],
  ["relay", "assistant", /"@odata.context"/],
  ["client-credentials", "reports", /"access_token"/],
  ["device-code", "cli", /"authorizationHeader"/],
  ["grant-link", "daemon", /"grant":"gte_/],
  ["relay-only", "assistant", /"code":"relay_only"/],
];

describe.skipIf(missing.length > 0)("the code that the playground shows", () => {
  test.each(FLOWS)("of %s by %s answers the same with curl and with Python", async (flow, caller, answer) => {
    const trace = await playFlow(stack, { flow, caller, person: "alice" });
    const curl = await run("bash", ["-c", `set -euo pipefail\n${codeOf(trace, "curl")}`]);
    expect(curl).toMatch(answer);
    const code = codeOf(trace, "python");
    const python = await run("python3", ["-c", code], await valuesFor(code));
    expect(python).toMatch(new RegExp(`^${trace.main?.status} `));
    expect(python).toMatch(answer);
  });

  test("of a grant takes the handle from the variable that it names", async () => {
    for (const flow of ["grant-link", "grant-allow"]) await playFlow(stack, { flow, caller: "daemon", person: "bob" });
    const trace = await playFlow(stack, { flow: "grant-redeem", caller: "daemon", person: "bob" });
    const GRANT = `gte_${"A".repeat(43)}`;
    const curl = await run("bash", ["-c", `set -euo pipefail\n${codeOf(trace, "curl")}`], { GRANT });
    const code = codeOf(trace, "python");
    const python = await run("python3", ["-c", code], { ...(await valuesFor(code)), GRANT });
    for (const answer of [curl, python]) expect(answer).toContain('"code":"grant_');
  });
});

describe("a snippet", () => {
  const request = {
    method: "POST",
    url: "http://localhost:7071/x?$select=a",
    headers: { authorization: "Bearer {{TOKEN}}" },
    json: { text: `it's "$HOME" \`id\` \\ {{NAME}} {}`, yes: true },
  };
  const variables = [
    { name: "TOKEN", command: "printf secret" },
    { name: "NAME", source: "you" },
    { name: "UNUSED", source: "" },
  ];
  const code = (language: string) =>
    toSnippets(request, variables).find((snippet) => snippet.language === language)?.code ?? "";

  test("names only the variables that it uses", () => {
    for (const language of ["curl", "powershell", "csharp", "python"]) {
      expect(code(language)).not.toContain("UNUSED");
      expect(code(language)).toContain("NAME");
    }
  });

  test.skipIf(missing.length > 0)("quotes every character for the shell", async () => {
    const echo = "curl() { printf '%s\\n' \"$@\"; }";
    const printed = await run("bash", ["-c", `${echo}\n${code("curl")}`], { NAME: "Ann" });
    expect(printed.split("\n")).toContain("Authorization: Bearer secret");
    expect(printed.split("\n")).toContain(
      JSON.stringify({ ...request.json, text: request.json.text.replace("{{NAME}}", "Ann") }),
    );
    expect(printed).toContain("http://localhost:7071/x?$select=a");
  });

  test.skipIf(missing.length > 0)("quotes every character for Python", async () => {
    const fake =
      "import urllib.request\nclass A:\n  status=1\n  def __enter__(s): return s\n  def __exit__(s,*a): pass\n  def read(s): return s.b\ndef f(r):\n  a=A(); a.b=r.data; return a\nurllib.request.urlopen=f\n";
    const printed = await run("python3", ["-c", fake + code("python")], { NAME: "Ann", TOKEN: "t" });
    expect(JSON.parse(printed.slice(2))).toEqual({
      ...request.json,
      text: request.json.text.replace("{{NAME}}", "Ann"),
    });
  });
});
