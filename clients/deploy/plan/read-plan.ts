/** Reads the account, the resource group and the parameter file, and makes the plan. Changes nothing. */
import * as z from "zod/mini";
import { CliFailure, settingsFailure } from "../../cli/cli-failure.ts";
import { EXIT } from "../../cli/exit-codes.ts";
import type { Az } from "../az/az.ts";
import { AzFailure } from "../az/az-failure.ts";
import type { Options } from "../command-line.ts";
import type { World } from "../world.ts";
import { type Account, type Plan, toPlan } from "./plan.ts";

export async function readPlan(options: Options, world: World, az: Az): Promise<Plan> {
  const account = await readAccount(az);
  const parameters = await readParameters(options.file, world);
  const group = await readGroup(options, account, parameters.location?.value, az);
  const target = {
    tenantId: account.tenantId,
    subscriptionId: account.subscriptionId,
    resourceGroup: group.name,
    location: group.location,
    deploymentName: "gte-service",
  };
  const snapshot = await world.predict(options.file, target).catch((error: unknown) => {
    throw settingsFailure(`${options.file} cannot be deployed: ${error instanceof Error ? error.message : error}`);
  });
  if (snapshot === undefined) throw noCompiler(options.file);
  return toPlan({ options, account, group, snapshot });
}

// ---------------------------------------------------------------------------------------------------------------

const accountSchema = z.object({
  id: z.string(),
  tenantId: z.string(),
  user: z.object({ name: z.string(), type: z.string() }),
});
const parametersSchema = z.object({
  location: z.optional(z.object({ value: z.string() })),
});

async function readAccount(az: Az): Promise<Account> {
  try {
    const { id, tenantId, user } = await az.read(["account", "show"], accountSchema);
    return { subscriptionId: id, tenantId, name: user.name, isPerson: user.type === "user" };
  } catch (error) {
    if (!(error instanceof AzFailure) || error.kind === "not_installed") throw error;
    throw new CliFailure(
      EXIT.signIn,
      "sign_in",
      `The Azure CLI has no usable sign-in: ${error.message} Run: az login, and choose the subscription with az account set.`,
    );
  }
}

async function readParameters(file: string, world: World): Promise<z.infer<typeof parametersSchema>> {
  const compiled = await world.compile(file);
  switch (compiled.kind) {
    case "parameters":
      return z.parse(parametersSchema, compiled.parameters);
    case "no_compiler":
      throw noCompiler(file);
    case "errors":
      throw settingsFailure(`${file} does not compile. ${compiled.errors.join(" ")}`);
  }
}

async function readGroup(options: Options, account: Account, written: string | undefined, az: Az) {
  const name = options.group ?? `rg-gte-${options.tenant}`;
  const groups = await az.read(
    ["group", "list", "--subscription", account.subscriptionId, "--query", `[?name=='${name}'].location`],
    z.array(z.string()),
  );
  const location = groups[0] ?? written ?? options.location;
  if (location !== undefined) return { name, exists: groups.length > 0, location };
  throw settingsFailure(
    `The resource group ${name} does not exist. Set the parameter location in ${options.file}, or name a region with --location.`,
  );
}

function noCompiler(file: string): CliFailure {
  return settingsFailure(`${file} needs the Bicep compiler. Run: az bicep install`);
}
