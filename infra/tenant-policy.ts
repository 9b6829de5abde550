/**
 * `npm run infra:policy -- <file.bicepparam>`: prints the policy of a tenant's parameter file as JSON, for the policy
 * tools. Needs a Bicep compiler, as `npm run infra:check` does. Prints an empty policy for a file that does not exist, so
 * that a new tenant can be compared with nothing. Exit code 2: no compiler, or the file does not compile.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { startBicep } from "./compiler/bicep-process.ts";
import { findCompiler } from "./compiler/find-compiler.ts";

const EMPTY = { apis: {}, callers: [] };

interface ParameterFile {
  readonly parameters: { readonly policy?: { readonly value?: unknown } };
}

async function main([path]: readonly string[]): Promise<number> {
  if (path === undefined) return fail("usage: npm run infra:policy -- <file.bicepparam>");
  if (!existsSync(path)) return print(EMPTY);
  if (!path.endsWith(".bicepparam")) return fail(`${path} does not end with .bicepparam`);
  const { compiler, tried } = findCompiler();
  if (compiler === undefined) return fail(`no Bicep compiler was found (${tried.join("; ")})`);
  const bicep = startBicep(compiler);
  try {
    const { contents, diagnostics } = await bicep.compile(resolve(path));
    if (contents !== undefined) return print((JSON.parse(contents) as ParameterFile).parameters.policy?.value ?? EMPTY);
    const errors = diagnostics
      .filter(({ level }) => level === "Error")
      .map(({ code, message }) => `${code} ${message}`);
    return fail(`${path} does not compile\n${errors.join("\n")}`);
  } finally {
    bicep.close();
  }
}

function print(policy: unknown): number {
  console.log(JSON.stringify(policy, undefined, 2));
  return 0;
}

function fail(problem: string): number {
  console.error(problem);
  return 2;
}

process.exitCode = await main(process.argv.slice(2));
