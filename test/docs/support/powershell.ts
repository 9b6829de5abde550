/**
 * PowerShell for the tests of the documents: version 7 as a .NET tool from NuGet, restored into node_modules/.cache. The
 * scripts are for Windows PowerShell 5.1 too, which runs only on Windows: `windowsPowerShellProblems` reports what 5.1 does
 * not have.
 */
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./markdown.ts";

/** The newest version that NuGet serves as a tool for .NET 10. */
const VERSION = "7.6.9";
const CACHE = join(root, "node_modules/.cache/powershell", VERSION);
const ENVIRONMENT = { DOTNET_CLI_TELEMETRY_OPTOUT: "1", DOTNET_NOLOGO: "1", POWERSHELL_TELEMETRY_OPTOUT: "1" };

export interface PowerShellOutput {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

/** Undefined if the machine has neither .NET nor PowerShell. Then the tests are skipped. */
export function findPowerShell(): string | undefined {
  const restored = join(CACHE, process.platform === "win32" ? "pwsh.exe" : "pwsh");
  if (!existsSync(restored)) {
    const tool = ["tool", "install", "--tool-path", CACHE, "PowerShell", "--version", VERSION];
    spawnSync("dotnet", tool, { env: { ...process.env, ...ENVIRONMENT }, stdio: "ignore", timeout: 300_000 });
  }
  const found = [restored, "pwsh"].find((program) => spawnSync(program, ["-Version"]).status === 0);
  if (found === undefined) {
    process.stderr.write("\nSKIPPED: the PowerShell scripts of the documents. Install the .NET SDK to run them.\n\n");
  }
  return found;
}

/** Runs the script as a person who pastes it: with a profile-free session that continues after errors. */
export function runPowerShell(
  program: string,
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<PowerShellOutput> {
  const { promise, resolve } = Promise.withResolvers<PowerShellOutput>();
  // As a command and not on standard input, which PowerShell reads line by line and echoes.
  const encoded = Buffer.from(`$ProgressPreference = 'SilentlyContinue'\n${script}`, "utf16le").toString("base64");
  const args = ["-NoLogo", "-NoProfile", "-NonInteractive", "-OutputFormat", "Text", "-EncodedCommand", encoded];
  execFile(program, args, { cwd: root, env: { ...process.env, ...ENVIRONMENT, ...env } }, (error, out, errors) =>
    resolve({ code: Number(error?.code ?? 0), out, errors }),
  );
  return promise;
}

/**
 * The parameters that Windows PowerShell 5.1 has, of the commands in the documents. A command or parameter that is not
 * listed is a problem, so look it up in the 5.1 reference before you add it.
 * https://learn.microsoft.com/powershell/module/microsoft.powershell.utility/?view=powershell-5.1
 */
const WINDOWS_POWERSHELL: Readonly<Record<string, readonly string[]>> = {
  "Invoke-RestMethod": ["Method", "Uri", "Headers", "ContentType", "Body", "TimeoutSec", "UseBasicParsing", "InFile"],
  "ConvertFrom-Json": ["InputObject"],
  "ConvertTo-Json": ["InputObject", "Depth", "Compress"],
  "ForEach-Object": ["Process", "MemberName"],
  "New-Object": ["TypeName", "ArgumentList", "Property"],
  "Out-String": ["InputObject", "Width"],
  // No parts of PowerShell.
  "Get-AzAccessToken": ["ResourceUrl"],
  "Get-GraphHeader": ["TenantId", "ClientId", "ClientSecret", "Username", "Password"],
  npx: ["-no", "-"],
};

/** Tokens of syntax that PowerShell 7 added: `a ? b : c`, `??`, `??=`, `?.`, `?[]`, `&&` and `||`. */
const NEW_TOKENS = ["QuestionMark", "QuestionQuestion", "QuestionQuestionEquals", "QuestionDot", "QuestionLBracket"];
const CHAIN_TOKENS = ["AndAnd", "OrOr"];

interface ParsedScript {
  readonly errors: readonly string[];
  readonly tokens: readonly string[];
  readonly commands: readonly { readonly name: string; readonly parameters: readonly string[] }[];
}

export async function windowsPowerShellProblems(program: string, script: string): Promise<readonly string[]> {
  const { errors, tokens, commands } = await parseScript(program, script);
  const unknown = commands.flatMap(({ name, parameters }) => {
    const known = WINDOWS_POWERSHELL[name];
    if (known === undefined) return [`the command ${name}`];
    return parameters.filter((parameter) => !known.includes(parameter)).map((parameter) => `${name} -${parameter}`);
  });
  return [...errors, ...tokens.filter((kind) => [...NEW_TOKENS, ...CHAIN_TOKENS].includes(kind)), ...unknown];
}

async function parseScript(program: string, script: string): Promise<ParsedScript> {
  const parser = `
$errors = $null; $tokens = $null
$ast = [Management.Automation.Language.Parser]::ParseInput($env:SCRIPT, [ref]$tokens, [ref]$errors)
$commands = $ast.FindAll({ $args[0] -is [Management.Automation.Language.CommandAst] }, $true) | ForEach-Object {
  $parameters = $_.CommandElements | Where-Object { $_ -is [Management.Automation.Language.CommandParameterAst] }
  @{ name = [string]$_.GetCommandName(); parameters = @($parameters | ForEach-Object { $_.ParameterName }) }
}
@{ errors = @($errors | ForEach-Object { $_.Message }); tokens = @($tokens | ForEach-Object { [string]$_.Kind })
  commands = @($commands) } | ConvertTo-Json -Depth 5 -Compress`;
  const { out, errors } = await runPowerShell(program, parser, { SCRIPT: script });
  if (!out.startsWith("{")) throw new Error(`The script was not parsed: ${errors}`);
  return JSON.parse(out) as ParsedScript;
}
