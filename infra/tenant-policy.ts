/**
 * `npm run infra:policy -- <file.bicepparam>`: prints the policy of a tenant's parameter file as JSON, for the policy
 * tools. Needs a Bicep compiler, as `npm run infra:check` does. Prints an empty policy for a file that does not exist, so
 * that a new tenant can be compared with nothing. Exit code 2: no compiler, or the file does not compile.
 */
import { existsSync } from "node:fs";
import { compileParameters } from "./compiler/compile-parameters.ts";

const EMPTY = { apis: {}, callers: [] };

async function main([path]: readonly string[]): Promise<number> {
  if (path === undefined) return fail("usage: npm run infra:policy -- <file.bicepparam>");
  if (!existsSync(path)) return print(EMPTY);
  if (!path.endsWith(".bicepparam")) return fail(`${path} does not end with .bicepparam`);
  const compiled = await compileParameters(path);
  switch (compiled.kind) {
    case "parameters":
      return print(compiled.parameters["policy"]?.value ?? EMPTY);
    case "no_compiler":
      return fail(`no Bicep compiler was found (${compiled.tried.join("; ")})`);
    case "errors":
      return fail(`${path} does not compile\n${compiled.errors.join("\n")}`);
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
