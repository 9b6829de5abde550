/** Runs a snippet of docs/gateways.md as a reader would: in its own process, with the values in the environment. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { fences, markdownFile, root, section } from "./markdown.ts";

const HOST = "https://func-gte-contoso.azurewebsites.net";
const { text } = markdownFile("docs/gateways.md");

/** The policy on the page. Its client ids are those of the local tenant. */
export const GATEWAY_POLICY: string = fences(section(text, "How the client authenticates"), "json")[0] ?? "";

export interface SnippetInput {
  readonly heading: string;
  readonly language: "js" | "csharp" | "python";
  readonly serviceUrl: string;
  readonly env: Readonly<Record<string, string>>;
  /** Changes that only the local stack needs. */
  readonly change?: (code: string) => string;
}

/** What the snippet prints. Rejects with its error output if it fails. */
export async function runSnippet({ heading, language, serviceUrl, env, change }: SnippetInput): Promise<string> {
  const [code = ""] = fences(section(text, heading), language);
  const local = code.replaceAll(HOST, serviceUrl);
  if (local === code) throw new Error(`The ${language} snippet under "${heading}" does not name the service.`);
  const changed = change === undefined ? local : change(local);
  const run = { js: runJavaScript, python: runPython, csharp: runDotnet }[language];
  return (await run(changed, { ...process.env, ...env })).trim();
}

/** Major version of the .NET SDK. Undefined: there is none, or it is older than 8. */
export function dotnetVersion(): number | undefined {
  const run = spawnSync("dotnet", ["--version"], { encoding: "utf8" });
  const major = run.status === 0 ? Number.parseInt(run.stdout, 10) : 0;
  return major >= 8 ? major : undefined;
}

// ------------------------------------------------------------------------------------------------------------------

const execute = promisify(execFile);
type Run = (code: string, env: NodeJS.ProcessEnv) => Promise<string>;

/** Resolves packages from this repository. */
const runJavaScript: Run = async (code, env) => {
  const args = ["--input-type=module", "--eval", code];
  return (await execute(process.execPath, args, { env, cwd: root })).stdout;
};

const runPython: Run = async (code, env) => (await execute("python3", ["-c", code], { env })).stdout;

/** Compiled programs by their code, because the compiler takes half a minute. */
const programs = new Map<string, Promise<string>>();

export const runDotnet: Run = async (code, env) => {
  const compiled = programs.get(code) ?? compile(code);
  programs.set(code, compiled);
  return (await execute("dotnet", [join(await compiled, "out/gateway.dll")], { env: { ...env, ...QUIET } })).stdout;
};

const QUIET = { DOTNET_CLI_TELEMETRY_OPTOUT: "1", DOTNET_NOLOGO: "1" };

/** Restores IdentityModel from NuGet and compiles the program. Returns its folder. */
async function compile(code: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "gte-dotnet-"));
  const project = `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType>
    <TargetFramework>net${dotnetVersion()}.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings>
    <Nullable>enable</Nullable><UseAppHost>false</UseAppHost></PropertyGroup>
    <ItemGroup><PackageReference Include="Duende.IdentityModel" Version="8.1.0" /></ItemGroup></Project>`;
  writeFileSync(join(folder, "gateway.csproj"), project);
  writeFileSync(join(folder, "Program.cs"), code);
  const args = ["build", join(folder, "gateway.csproj"), "--output", join(folder, "out")];
  await execute("dotnet", args, { env: { ...process.env, ...QUIET }, cwd: folder });
  return folder;
}

/** Deletes the compiled programs. */
export async function removePrograms(): Promise<void> {
  for (const folder of await Promise.allSettled(programs.values())) {
    if (folder.status === "fulfilled") rmSync(folder.value, { recursive: true, force: true });
  }
  programs.clear();
}
