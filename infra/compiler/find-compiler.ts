/**
 * Finds the Bicep compiler of this machine: `bicep` on the path, the one that the Azure CLI installed, or one restored from
 * NuGet into node_modules/.cache (the package contains the same self-contained program). A compiler that is older than
 * BICEP_VERSION is not used: it may lack a linter rule, a type or a method of the protocol.
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
  /** The candidates that are missing or unusable, with the reason. */
  readonly tried: readonly string[];
}

/** The minimum version, and the version that is restored from NuGet. */
const BICEP_VERSION = "0.49.2";
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/bicep/", import.meta.url));

export function findCompiler(): Search {
  const tried: string[] = [];
  for (const candidate of [fromPath, fromAzureCli, fromNuGet]) {
    const found = candidate();
    if (typeof found !== "string") return { compiler: found, tried };
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

function fromPath(): BicepCompiler | string {
  return compilerAt("bicep", "bicep on the path");
}

/** Does not start it through `az bicep`, which passes on neither all commands nor standard input. */
function fromAzureCli(): BicepCompiler | string {
  const folder = process.env["AZURE_CONFIG_DIR"] ?? join(homedir(), ".azure");
  return compilerAt(
    join(folder, "bin", process.platform === "win32" ? "bicep.exe" : "bicep"),
    "bicep of the Azure CLI (az bicep install)",
  );
}

function fromNuGet(): BicepCompiler | string {
  const runtime = `${{ linux: "linux", darwin: "osx", win32: "win" }[process.platform as string] ?? process.platform}-${process.arch}`;
  const id = `Azure.Bicep.CommandLine.${runtime}`;
  const program = findRestored(id) ?? restoreFromNuGet(id);
  if (program === undefined) return `${id} from NuGet: version ${BICEP_VERSION} could not be restored with dotnet`;
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
  return run.status === 0 ? findRestored(id) : undefined;
}

function findRestored(id: string): string | undefined {
  const tools = join(CACHE, id.toLowerCase(), BICEP_VERSION, "tools");
  const name = existsSync(tools) ? readdirSync(tools).find((file) => /^bicep(\.exe)?$/.test(file)) : undefined;
  return name === undefined ? undefined : join(tools, name);
}

function compilerAt(program: string, name: string): BicepCompiler | string {
  const run = spawnSync(program, ["--version"], { encoding: "utf8" });
  const version = /version (\S+)/.exec(run.stdout ?? "")?.[1];
  if (version === undefined) return `${name}: not found, or it does not start`;
  return isNewEnough(version)
    ? { name, version, program }
    : `${name}: ${version} is older than the required ${BICEP_VERSION}`;
}
