/**
 * The lines of docs/callers.md that send a body with its length, in .NET, JavaScript and Python, run against a local
 * stack, and the answer to each client that sends chunks. The .NET program needs the SDK and no package. Without the SDK
 * or Python's requests, their tests are skipped with a message.
 */
import { execFile, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildApp } from "../../local/build/build-app.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { fences, markdownFile, root, section } from "./support/markdown.ts";

const { text } = markdownFile("docs/callers.md");
const linesIn = (language: string) => fences(section(text, "Send the length of the body"), language);
const DOTNET = linesIn("csharp");
const [JAVASCRIPT = ""] = linesIn("js");
const [PYTHON = ""] = linesIn("python");

const sdk = sdkVersion();
const python = spawnSync("python3", ["-c", "import requests"]).status === 0;
for (const [missing, what] of [
  [sdk === undefined, "the .NET lines of docs/callers.md. Install the .NET SDK 8 or later to run them."],
  [!python, "the Python lines of docs/callers.md. Install Python 3 and requests to run them."],
] as const) {
  if (missing) process.stderr.write(`\nSKIPPED: ${what}\n\n`);
}

interface Outcome {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

let folder: string;
let stack: Stack;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gte-bodies-"));
  await buildApp({ entry: join(root, "functions/index.ts"), outDirectory: join(folder, "dist") });
  for (const name of ["host.json", "package.json"]) {
    cpSync(join(root, name), join(folder, name));
  }
  stack = await startStack({ appDirectory: folder });
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const url = () => `${stack.service.url}/AuthorizationHeader/graph`;
const token = () => stack.tenant.state.mintUserToken({ user: "alice", client: "web" });
const accepted = { status: 200, body: expect.objectContaining({ tokenType: "Bearer" }) };
const missing = (remedy: string) => ({
  status: 400,
  body: expect.objectContaining({ code: "body_missing", detail: expect.stringContaining(remedy) }),
});

/** The scopes that the service requested from Entra. Without a body it would have requested all of the entry. */
const requestedScopes = () =>
  stack.tenant.state.requests({ endpoint: "token" }).flatMap(({ form }) => form?.["scope"]?.match(/\w+\.Read/g) ?? []);
beforeEach(() => stack.tenant.state.clearLog());

describe.skipIf(sdk === undefined)(".NET", () => {
  test("each block sends the body with its length, and PostAsJsonAsync gets the advice", async () => {
    expect(DOTNET).toHaveLength(2);
    const chunked = `var answer = await http.PostAsJsonAsync(url, new { scopes = new[] { "User.Read" } });`;
    const outcomes = await runDotnet([...DOTNET, chunked]);
    expect(outcomes).toEqual([accepted, accepted, missing("LoadIntoBufferAsync")]);
    expect(requestedScopes()).toEqual(["User.Read"]);
  }, 300_000);
});

describe("JavaScript", () => {
  test("the line sends the body with its length", async () => {
    expect(await runJavaScript(JAVASCRIPT)).toEqual(accepted);
    expect(requestedScopes()).toEqual(["User.Read"]);
  });

  test("a stream gets the advice", async () => {
    const body = `new Blob(['{"scopes":["User.Read"]}']).stream(), duplex: "half"`;
    const line = JAVASCRIPT.replace(/JSON\.stringify\(.*\)(?= \})/, body);
    expect(line).toContain(body);
    expect(await runJavaScript(line)).toEqual(missing("give fetch a string"));
  });
});

describe.skipIf(!python)("Python", () => {
  test("the line sends the body with its length", async () => {
    expect(await runPython(PYTHON)).toEqual(accepted);
    expect(requestedScopes()).toEqual(["User.Read"]);
  });

  test("a generator gets the advice", async () => {
    const line = PYTHON.replace(/data=(.*)\)/, "data=iter([$1]))");
    expect(line).toContain("iter");
    expect(await runPython(line)).toEqual(missing("give requests the bytes"));
  });
});

// ------------------------------------------------------------------------------------------------------------------

/** Major version of the newest SDK. Undefined: there is none, or it is older than 8. */
function sdkVersion(): number | undefined {
  const run = spawnSync("dotnet", ["--version"], { encoding: "utf8" });
  const major = run.status === 0 ? Number.parseInt(run.stdout, 10) : 0;
  return major >= 8 ? major : undefined;
}

/** Runs each block as the body of a function, in one program, because the compiler takes seconds to start. */
async function runDotnet(blocks: readonly string[]): Promise<Outcome[]> {
  const project = join(folder, "bodies.csproj");
  const properties = {
    OutputType: "Exe",
    TargetFramework: `net${sdk}.0`,
    ImplicitUsings: "enable",
    UseAppHost: "false",
    EnableDefaultItems: "false",
  };
  const group = Object.entries(properties).map(([name, value]) => `<${name}>${value}</${name}>`);
  const items = '<ItemGroup><Compile Include="Bodies.cs" /></ItemGroup>';
  const content = `<PropertyGroup>${group.join("")}</PropertyGroup>${items}`;
  writeFileSync(project, `<Project Sdk="Microsoft.NET.Sdk">${content}</Project>`);
  writeFileSync(
    join(folder, "Bodies.cs"),
    [
      "using System.Net.Http.Json; using System.Text; using System.Text.Json;",
      "var url = args[0];",
      "using var http = new HttpClient();",
      'http.DefaultRequestHeaders.Authorization = new("Bearer", args[1]);',
      ...blocks.flatMap((_block, index) => [
        `var answer${index} = await Block${index}();`,
        `Console.WriteLine((int)answer${index}.StatusCode + " " + await answer${index}.Content.ReadAsStringAsync());`,
      ]),
      ...blocks.map((block, index) => `async Task<HttpResponseMessage> Block${index}() {\n${block}\nreturn answer;\n}`),
    ].join("\n"),
  );
  const env = { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: "1", DOTNET_NOLOGO: "1", DOTNET_CLI_HOME: folder };
  const args = ["run", "--project", project, "--", url(), token()];
  const { stdout } = await promisify(execFile)("dotnet", args, { env, cwd: folder });
  return stdout.trim().split("\n").map(outcomeOf);
}

async function runJavaScript(line: string): Promise<Outcome> {
  const body = `const headers = { Authorization: "Bearer " + token, "Content-Type": "application/json" };\n${line}\nreturn answer;`;
  const AsyncFunction = (async () => undefined).constructor as FunctionConstructor;
  const answer = (await new AsyncFunction("url", "token", body)(url(), token())) as Response;
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

async function runPython(line: string): Promise<Outcome> {
  const program = [
    "import json, requests, sys",
    "url, token = sys.argv[1:]",
    'headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}',
    line,
    "print(answer.status_code, answer.text)",
  ].join("\n");
  const { stdout } = await promisify(execFile)("python3", ["-c", program, url(), token()]);
  return outcomeOf(stdout.trim());
}

/** A line with the status, a space and the JSON body. */
function outcomeOf(line: string): Outcome {
  const [, status, body = ""] = /^(\d{3}) (.*)$/s.exec(line) ?? [];
  return { status: Number(status), body: JSON.parse(body) as Record<string, unknown> };
}
