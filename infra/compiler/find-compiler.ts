/**
 * The Bicep compiler of this machine: `bicep` on the path, the one that the Azure CLI installed, or one restored from
 * NuGet into node_modules/.cache (the package carries the same self-contained program). One that is older than the
 * templates were made with is passed over: it may not know a rule, a type or the protocol.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface BicepCompiler {
  readonly name: string;
  readonly version: string;
  readonly program: string;
}

export interface Search {
  readonly compiler: BicepCompiler | undefined;
  /** What was looked for in vain, and why it would not do. */
  readonly tried: readonly string[];
}

/** The version that the templates were made with: the least, and the one that is restored when there is none. */
export const BICEP_VERSION = "0.49.2";
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/bicep/", import.meta.url));

export function findCompiler(): Search {
  const tried: string[] = [];
  for (const candidate of [onPath, ofAzureCli, fromNuGet]) {
    const found = candidate();
    if (typeof found !== "string") {
      return { compiler: found, tried };
    }
    tried.push(found);
  }
  return { compiler: undefined, tried };
}

/** Exported for its test. */
export function isNewEnough(version: string): boolean {
  const found = version.split(/[.+-]/).map(Number);
  const wanted = BICEP_VERSION.split(".").map(Number);
  const differs = wanted.findIndex((part, index) => found[index] !== part);
  return differs < 0 || (found[differs] ?? 0) > (wanted[differs] ?? 0);
}

function onPath(): BicepCompiler | string {
  return compilerAt("bicep", "bicep on the path");
}

/** Started without `az`, which passes neither every command nor standard input on to the compiler. */
function ofAzureCli(): BicepCompiler | string {
  const folder = process.env["AZURE_CONFIG_DIR"] ?? join(homedir(), ".azure");
  return compilerAt(
    join(folder, "bin", process.platform === "win32" ? "bicep.exe" : "bicep"),
    "bicep of the Azure CLI (az bicep install)",
  );
}

function fromNuGet(): BicepCompiler | string {
  const runtime = `${{ linux: "linux", darwin: "osx", win32: "win" }[process.platform as string] ?? process.platform}-${process.arch}`;
  const id = `Azure.Bicep.CommandLine.${runtime}`;
  const program = restored(id) ?? restoreFromNuGet(id);
  if (program === undefined) {
    return `${id} from NuGet: version ${BICEP_VERSION} could not be restored with dotnet`;
  }
  chmodSync(program, 0o755);
  return compilerAt(program, `${id} from NuGet`);
}

function restoreFromNuGet(id: string): string | undefined {
  mkdirSync(CACHE, { recursive: true });
  const project = join(CACHE, "compiler.csproj");
  writeFileSync(
    project,
    `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>netstandard2.0</TargetFramework><DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences></PropertyGroup><ItemGroup><PackageDownload Include="${id}" Version="[${BICEP_VERSION}]" /></ItemGroup></Project>\n`,
  );
  const run = spawnSync("dotnet", ["restore", project, "--packages", CACHE], { encoding: "utf8", timeout: 300_000 });
  return run.status === 0 ? restored(id) : undefined;
}

function restored(id: string): string | undefined {
  const tools = join(CACHE, id.toLowerCase(), BICEP_VERSION, "tools");
  const name = existsSync(tools) ? readdirSync(tools).find((file) => /^bicep(\.exe)?$/.test(file)) : undefined;
  return name === undefined ? undefined : join(tools, name);
}

function compilerAt(program: string, name: string): BicepCompiler | string {
  const run = spawnSync(program, ["--version"], { encoding: "utf8" });
  const version = /version (\S+)/.exec(run.stdout ?? "")?.[1];
  if (version === undefined) {
    return `${name}: not there, or it does not run`;
  }
  return isNewEnough(version)
    ? { name, version, program }
    : `${name}: ${version} is older than ${BICEP_VERSION}, which the templates were made with`;
}
