/**
 * The PowerShell and TypeScript of the documents run against a local stack. Every other fence in these languages or in a shell is in one of the lists below. commands.test.ts runs the
 * shell commands of the documents.
 */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildApp } from "../../local/build/build-app.ts";
import { applicationToken, userToken } from "../../local/caller/caller-token.ts";
import { writeEnvironment } from "../../local/caller/environment.ts";
import { localRequest } from "../../local/caller/local-request.ts";
import { createDemo } from "../../local/demo/demo-step.ts";
import { signInByLink } from "../../local/demo/sign-in-by-link.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { markdownFiles, root } from "./support/markdown.ts";
import { findPowerShell, runPowerShell, windowsPowerShellProblems } from "./support/powershell.ts";

interface Snippet {
  readonly path: string;
  readonly language: string;
  readonly code: string;
}

const LANGUAGES = ["sh", "bash", "powershell", "ts", "typescript", "js", "javascript", "python", "csharp"];
const snippets: readonly Snippet[] = markdownFiles.flatMap(({ path, text }) =>
  [...text.matchAll(/^ *```(\w+)\n([\s\S]*?)^ *```/gm)]
    .map(([, language = "", code = ""]) => ({ path, language, code }))
    .filter(({ language }) => LANGUAGES.includes(language)),
);

/** The commands of these files need a subscription, a tenant or the whole repository. Their syntax is checked. */
const NEEDS_AZURE = [
  "connectors/power-platform/README.md",
  "docs/audit.md",
  "docs/deploy.md",
  "docs/events.md",
  "docs/operate.md",
  "infra/README.md",
  "infra/entra-by-hand.md",
];
/** commands.test.ts and policy-commands.test.ts run these, except those that start the stack or the tests. */
const RUN_AS_COMMANDS = ["README.md", "docs/callers.md", "docs/command-line.md", "docs/policy.md"];
/** The sketch of what the service replaces. Its function is not a part of this repository. */
const BEFORE = /# Do not do this\./;

const powershell = findPowerShell();
const describePowerShell = powershell === undefined ? describe.skip : describe;
const hasBash = spawnSync("bash", ["--version"]).status === 0;

let folder: string;
let stack: Stack;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gte-snippets-"));
  await buildApp({ entry: join(root, "functions/index.ts"), outDirectory: join(folder, "dist") });
  for (const name of ["host.json", "package.json"]) cpSync(join(root, name), join(folder, name));
  stack = await startStack({ appDirectory: folder });
  writeEnvironment(stack.environment, join(folder, "environment.json"));
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const me = () => `${stack.environment.graphUrl}/v1.0/me`;
const trust = () => ({
  SSL_CERT_FILE: stack.environment.caCertPath,
  NODE_EXTRA_CA_CERTS: stack.environment.caCertPath,
});
const npmPath = () => [dirname(process.execPath), process.env["PATH"]].join(delimiter);

/** Runs the script, checks that it prints this person, and that no token is in the error stream. */
async function expectPerson(person: string, script: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const { out, errors, code } = await runPowerShell(powershell ?? "", script, { ...trust(), ...env });
  expect(errors).not.toMatch(/eyJ[\w-]{20}/);
  expect([code, errors]).toEqual([0, ""]);
  expect(out).toContain(`${person}@contoso.local`);
}

const ofDocuments = (path: string, language: string, part: string): string => {
  const found = snippets.find((one) => one.path === path && one.language === language && one.code.includes(part));
  if (found === undefined) throw new Error(`${path} has no ${language} snippet with "${part}".`);
  return found.code;
};

describe("every snippet of the documents", () => {
  test("is run by a test, or is in a list that says why not", () => {
    const other = snippets.filter(
      ({ path, language, code }) =>
        !(
          ["sh", "bash"].includes(language) && [...NEEDS_AZURE, ...RUN_AS_COMMANDS, "docs/telemetry.md"].includes(path)
        ) &&
        !RUN_HERE.some(
          ([runPath, runLanguage, part]) => runPath === path && runLanguage === language && code.includes(part),
        ) &&
        !BEFORE.test(code),
    );
    expect(other.map(({ path, language, code }) => `${path} ${language}: ${code.slice(0, 60)}`)).toEqual([]);
  });

  const shell = snippets
    .filter(({ language }) => ["sh", "bash"].includes(language))
    .map(({ path, code }) => ({ path, code, line: code.split("\n", 1)[0] ?? "" }));

  test.skipIf(!hasBash).each(shell)("bash can parse the commands in $path that begin with $line", ({ code }) => {
    const withoutPlaceholders = code.replaceAll(/<[a-zA-Z][^<>\n|&;]*>/g, "value");
    execFileSync("bash", ["-n"], { input: withoutPlaceholders, stdio: ["pipe", "pipe", "pipe"] });
  });
});

/** Path, language and a part of the snippets that this file, bodies.test.ts, events.test.ts or gateways.test.ts runs. */
const RUN_HERE: readonly (readonly [path: string, language: string, part: string])[] = [
  ["docs/callers.md", "csharp", "LoadIntoBufferAsync"],
  ["docs/callers.md", "csharp", "StringContent"],
  ["docs/callers.md", "js", "await fetch"],
  ["docs/callers.md", "python", "requests.post"],
  ["docs/callers.md", "powershell", "Get-AzAccessToken"],
  ["docs/callers.md", "powershell", "$env:GRANT"],
  ["docs/command-line.md", "powershell", "gte header graph"],
  ["docs/events.md", "js", "standardwebhooks"],
  ["docs/events.md", "python", "webhook-signature"],
  ["docs/gateways.md", "js", "simple-oauth2"],
  ["docs/gateways.md", "js", "openid-client"],
  ["docs/gateways.md", "csharp", "Duende.IdentityModel"],
  ["docs/gateways.md", "python", "urllib.request"],
  ["docs/callers.md", "ts", "provesByEntraToken"],
  ["docs/callers.md", "ts", "graphHeaders"],
];

describePowerShell("PowerShell in docs/callers.md", () => {
  const script = () =>
    ofDocuments("docs/callers.md", "powershell", "Get-AzAccessToken")
      .replaceAll("https://func-gte-contoso.azurewebsites.net", stack.environment.serviceUrl)
      .replaceAll("https://graph.microsoft.com/v1.0/me", me());

  test.each([
    ["Az before version 14, which returns text", "$env:TOKEN"],
    ["Az 14, which returns a SecureString", "(ConvertTo-SecureString $env:TOKEN -AsPlainText -Force)"],
  ])("calls Graph with %s", async (_, value) => {
    const TOKEN = await userToken(stack.environment, "alice");
    await expectPerson("alice", `function Get-AzAccessToken($ResourceUrl) { @{ Token = ${value} } }\n${script()}`, {
      TOKEN,
    });
  });
});

describePowerShell("PowerShell in docs/callers.md for a job", () => {
  test("calls Graph with the handle of a link that the person allowed", async () => {
    const { serviceUrl } = stack.environment;
    const token = await applicationToken(stack.environment, "daemon");
    const made = await localRequest(`${serviceUrl}/signin/links`, {
      headers: { authorization: `Bearer ${token}` },
      json: { api: "graph", expectedUser: stack.environment.users["alice"]?.oid },
    });
    const { url, grant } = made.json();
    await signInByLink(
      createDemo(stack.environment, () => undefined),
      String(url),
      "alice",
    );
    const script = ofDocuments("docs/callers.md", "powershell", "$env:GRANT");
    const given = `$service = '${serviceUrl}'; $appToken = $env:TOKEN`;
    const pasted = `${given}\n${script.replace("https://graph.microsoft.com/v1.0/me", me())}`;
    await expectPerson("alice", pasted, { GRANT: String(grant), TOKEN: token });
  });
});

describePowerShell("PowerShell in docs/command-line.md", () => {
  test("calls Graph with the headers of gte", async () => {
    const env = { ...trust(), PATH: npmPath(), LOCAL_FOLDER: folder };
    const gte = (args: string[]) =>
      promisify(execFile)("node", ["clients/cli/gte.mjs", ...args], { cwd: root, env: { ...process.env, ...env } });
    const demo = createDemo(stack.environment, () => undefined);
    await demo.control("setDeviceCodeInterval", { seconds: 0.2 });
    const login = gte(["login", "--local"]);
    login.child.stderr?.on("data", (text) => {
      const userCode = /enter the code (\w+)/.exec(String(text))?.[1];
      if (userCode !== undefined) void demo.control("approveDeviceCode", { userCode, user: "alice" });
    });
    await login;
    const script = ofDocuments("docs/command-line.md", "powershell", "gte header graph");
    await expectPerson(
      "alice",
      script
        .replace("gte header graph", "gte header graph --local")
        .replace("https://graph.microsoft.com/v1.0/me", me()),
      env,
    );
  });
});

describePowerShell("Windows PowerShell 5.1", () => {
  const scripts = () => snippets.filter(({ language }) => language === "powershell").map(({ code }) => code);

  test("has every command, parameter and operator of the documents", async () => {
    expect(scripts().length).toBeGreaterThan(1);
    for (const script of scripts()) {
      expect([script, await windowsPowerShellProblems(powershell ?? "", script)]).toEqual([script, []]);
    }
  });

  test.each([
    ["'{}' | ConvertFrom-Json -AsHashtable", "ConvertFrom-Json -AsHashtable"],
    ["Invoke-RestMethod -Uri 'x' -Authentication Bearer -Token $token", "Invoke-RestMethod -Authentication"],
    ["$a = $b ? 1 : 2", "QuestionMark"],
    ["$a = $b ?? 2", "QuestionQuestion"],
    ["npx x && npx y", "AndAnd"],
    ["Test-Json '{}'", "the command Test-Json"],
    ["if ($a {", "Missing"],
  ])("does not have this, and the test finds it: %s", async (script, problem) => {
    expect((await windowsPowerShellProblems(powershell ?? "", script)).join("\n")).toContain(problem);
  });
});

describe("TypeScript in docs/callers.md", () => {
  async function runTypeScript(code: string): Promise<unknown> {
    const path = join(folder, "snippet.ts");
    writeFileSync(path, code);
    const { stdout } = await promisify(execFile)(process.execPath, [path], { env: { ...process.env, ...trust() } });
    return JSON.parse(stdout);
  }

  test("gets the headers, and waits and repeats after 429", async () => {
    const token = await userToken(stack.environment, "alice");
    const headers = await runTypeScript(`const service = ${JSON.stringify(stack.environment.serviceUrl)};
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
${ofDocuments("docs/callers.md", "ts", "graphHeaders")}
console.log(JSON.stringify(await graphHeaders(async () => ${JSON.stringify(token)})));`);
    expect(headers).toMatchObject({ Authorization: expect.stringMatching(/^Bearer eyJ/) });
  });

  test("authenticates the client with its token from Entra", async () => {
    const token = await applicationToken(stack.environment, "reports");
    const clientId = stack.environment.callers["reports"]?.clientId;
    const answer =
      await runTypeScript(`type ClientAuth = (server: object, client: { client_id: string }, body: URLSearchParams) => Promise<void>;
const tokenForService = async () => ${JSON.stringify(token)};
${ofDocuments("docs/callers.md", "ts", "provesByEntraToken")}
const body = new URLSearchParams({ grant_type: "client_credentials", scope: "https://graph.microsoft.com/.default" });
await provesByEntraToken({}, { client_id: ${JSON.stringify(clientId)} }, body);
const answer = await fetch(${JSON.stringify(`${stack.environment.serviceUrl}/oauth2/token`)}, { method: "POST", body });
console.log(JSON.stringify(await answer.json()));`);
    expect(answer).toMatchObject({ token_type: "Bearer" });
  });
});
