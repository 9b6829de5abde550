/**
 * The values of a tenant's parameter file (.bicepparam), by the Bicep compiler. For the tools that read a policy from such
 * a file.
 */
import { resolve } from "node:path";
import { startBicep } from "./bicep-process.ts";
import { findCompiler } from "./find-compiler.ts";

export type CompiledParameters =
  /** By the name of the parameter, as the deployment would get them. */
  | { readonly kind: "parameters"; readonly parameters: Readonly<Record<string, { readonly value?: unknown }>> }
  /** `tried`: the candidates, with the reason. */
  | { readonly kind: "no_compiler"; readonly tried: readonly string[] }
  /** Code and message of each error. */
  | { readonly kind: "errors"; readonly errors: readonly string[] };

export async function compileParameters(path: string): Promise<CompiledParameters> {
  const { compiler, tried } = findCompiler();
  if (compiler === undefined) return { kind: "no_compiler", tried };
  const bicep = startBicep(compiler);
  try {
    const { contents, diagnostics } = await bicep.compile(resolve(path));
    if (contents !== undefined) return { kind: "parameters", parameters: toParameters(contents) };
    const errors = diagnostics.filter(({ level }) => level === "Error");
    return { kind: "errors", errors: errors.map(({ code, message }) => `${code} ${message}`) };
  } finally {
    bicep.close();
  }
}

// ---------------------------------------------------------------------------------------------------------------

/** The compiler's own JSON: a parameter file for a deployment. */
function toParameters(contents: string): Readonly<Record<string, { readonly value?: unknown }>> {
  return (JSON.parse(contents) as { readonly parameters: Record<string, { readonly value?: unknown }> }).parameters;
}
