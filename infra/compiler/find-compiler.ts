/**
 * The Bicep compiler of this machine: `bicep` on the path, the one of the Azure CLI, or one restored from NuGet into
 * node_modules/.cache (the package carries the same self-contained program).
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface BicepCompiler {
  readonly name: string;
  readonly version: string;
  /** Program and first arguments; what to do and the file follow. */
  readonly command: readonly [string, ...string[]];
  /** The Azure CLI wants the file as `--file`. */
  readonly fileFlag: readonly string[];
}

export interface Search {
  readonly compiler: BicepCompiler | undefined;
  /** What was looked for in vain, and why it was not there. */
  readonly tried: readonly string[];
}

/** Restored when nothing is installed. Newer ones on the path are used as they are. */
const NUGET_VERSION = "0.43.8";
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

function onPath(): BicepCompiler | string {
  return versionOf("bicep", ["bicep"], []) ?? "bicep: not on the path";
}

function ofAzureCli(): BicepCompiler | string {
  const found = spawnSync("az", ["bicep", "version"], { encoding: "utf8", shell: process.platform === "win32" });
  const version = /version (\S+)/.exec(found.stdout ?? "")?.[1];
  return version === undefined
    ? "az bicep: no Azure CLI, or it has no Bicep (az bicep install)"
    : { name: "az bicep", version, command: ["az", "bicep"], fileFlag: ["--file"] };
}

function fromNuGet(): BicepCompiler | string {
  const runtime = `${{ linux: "linux", darwin: "osx", win32: "win" }[process.platform as string] ?? process.platform}-${process.arch}`;
  const id = `Azure.Bicep.CommandLine.${runtime}`;
  const program = restored(id) ?? restoreFromNuGet(id);
  if (program === undefined) {
    return `NuGet: ${id} ${NUGET_VERSION} could not be restored with dotnet`;
  }
  chmodSync(program, 0o755);
  return versionOf(`${id} from NuGet`, [program], []) ?? `NuGet: ${id} does not run here`;
}

function restoreFromNuGet(id: string): string | undefined {
  mkdirSync(CACHE, { recursive: true });
  const project = join(CACHE, "compiler.csproj");
  writeFileSync(
    project,
    `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>netstandard2.0</TargetFramework><DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences></PropertyGroup><ItemGroup><PackageDownload Include="${id}" Version="[${NUGET_VERSION}]" /></ItemGroup></Project>\n`,
  );
  const run = spawnSync("dotnet", ["restore", project, "--packages", CACHE], { encoding: "utf8", timeout: 300_000 });
  return run.status === 0 ? restored(id) : undefined;
}

function restored(id: string): string | undefined {
  const tools = join(CACHE, id.toLowerCase(), NUGET_VERSION, "tools");
  const name = existsSync(tools) ? readdirSync(tools).find((file) => /^bicep(\.exe)?$/.test(file)) : undefined;
  return name === undefined ? undefined : join(tools, name);
}

function versionOf(
  name: string,
  command: readonly [string, ...string[]],
  fileFlag: readonly string[],
): BicepCompiler | undefined {
  const run = spawnSync(command[0], [...command.slice(1), "--version"], { encoding: "utf8" });
  const version = /version (\S+)/.exec(run.stdout ?? "")?.[1];
  return version === undefined ? undefined : { name, version, command, fileFlag };
}
