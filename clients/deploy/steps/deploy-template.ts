/** One deployment of a template to the resource group. */
import type * as z from "zod/mini";
import type { AzFailureKind } from "../az/az-failure.ts";
import type { DeployContext } from "../context.ts";

export interface TemplateDeployment {
  /** A repeated deployment of this name replaces the earlier one in the history of the group. */
  readonly name: string;
  /** Undefined: the parameter file names it. */
  readonly template?: string;
  readonly parameters: readonly string[];
  readonly passing?: readonly AzFailureKind[];
}

/** Returns the outputs. Undefined in a dry run. */
export function deployTemplate<T>(
  { az, plan }: DeployContext,
  outputs: z.ZodMiniType<T>,
  { name, template, parameters, passing }: TemplateDeployment,
): Promise<T | undefined> {
  const file = template === undefined ? [] : ["--template-file", template];
  // biome-ignore format: one command
  const args = ["deployment", "group", "create", "--resource-group", plan.group, "--name", name, ...file,
    "--parameters", ...parameters, "--query", "properties.outputs"];
  return az.make(args, outputs, passing);
}
