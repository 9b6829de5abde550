/** The Azure resources of the service: shows what changes, asks, deploys, and compares the result with the plan. */
import { existsSync } from "node:fs";
import * as z from "zod/mini";
import { CliFailure, settingsFailure } from "../../cli/cli-failure.ts";
import { EXIT } from "../../cli/exit-codes.ts";
import type { DeployContext, Identity, Service } from "../context.ts";
import type { Checked } from "./check.ts";
import { deployTemplate } from "./deploy-template.ts";

const NAME = "gte-service";

/** `ProviderNoRbac`: the default level demands write rights on every resource, also of an account that only looks. */
export async function confirmChanges(context: DeployContext, checked: Checked): Promise<void> {
  const { az, plan, options, world, say } = context;
  if (options.dryRun && !plan.groupExists) {
    say("The resource group does not exist, so everything in the template is new.");
    return;
  }
  // biome-ignore format: one command
  say(await az.show(["deployment", "group", "what-if", "--resource-group", plan.group,
    "--validation-level", "ProviderNoRbac", "--exclude-change-types", "Ignore", "NoChange",
    "--parameters", ...parametersOf(context, checked)]));
  if (options.dryRun || options.yes) return;
  if (!world.terminal.attended)
    throw settingsFailure("There is no terminal to ask at. Read the changes, and use --yes.");
  if (await world.confirm("Deploy these changes?")) return;
  throw new CliFailure(EXIT.signIn, "declined", "You said no. The service was not changed.");
}

/** Undefined in a dry run. */
export async function deployService(
  context: DeployContext,
  checked: Checked,
  identity: Identity | undefined,
): Promise<Service | undefined> {
  const { plan } = context;
  const outputs = await deployTemplate(context, outputsSchema, {
    name: NAME,
    parameters: parametersOf(context, checked),
  });
  if (outputs === undefined) return undefined;
  const service = toService(outputs);
  const same = "The registrations do not fit to the service. Run the command again without --step.";
  if (service.serviceUrl !== plan.serviceUrl) {
    throw settingsFailure(
      `The address of the service is ${service.serviceUrl}, and ${plan.serviceUrl} is registered. ${same}`,
    );
  }
  if (identity !== undefined && service.principalId !== identity.principalId) {
    throw settingsFailure(
      `The service has the identity ${service.principalId}, and the registrations trust ${identity.principalId}. ${same}`,
    );
  }
  return service;
}

/** The outputs of the last deployment, for a run of later steps only. Undefined in a dry run without one. */
export async function deployedService({ az, plan, options }: DeployContext): Promise<Service | undefined> {
  // biome-ignore format: one command
  const list = ["deployment", "group", "list", "--resource-group", plan.group, "--query", `[?name=='${NAME}'].name`];
  const names = plan.groupExists ? await az.read(list, z.array(z.string())) : [];
  if (names.length === 0 && options.dryRun) return undefined;
  if (names.length === 0) throw settingsFailure("The service is not deployed. Run the step service first.");
  // biome-ignore format: one command
  const show = ["deployment", "group", "show", "--resource-group", plan.group, "--name", NAME, "--query", "properties.outputs"];
  return toService(await az.read(show, outputsSchema));
}

/** The policy in a blob, beside the parameter file. The account must be in policyWriterIds. */
export async function uploadPolicy({ az, plan, say }: DeployContext, service: Service | undefined): Promise<void> {
  if (!plan.policyInBlob) return;
  const path = plan.file.replace(/\.bicepparam$/, ".policy.json");
  if (!existsSync(path)) {
    say(`notice: ${path} does not exist, so the policy is not uploaded.`);
    return;
  }
  const url = service?.policyUrl ?? "<policyUrl of the service>";
  // biome-ignore format: one command
  const args = ["storage", "blob", "upload", "--auth-mode", "login", "--overwrite", "--blob-url", url, "--file", path,
    "--output", "none"];
  await az.change(args, ["role_is_new"]);
}

// ---------------------------------------------------------------------------------------------------------------

const output = z.object({ value: z.string() });
const outputsSchema = z.object({
  appName: output,
  serviceUrl: output,
  vaultUrl: output,
  policyUrl: output,
  principalId: output,
});

function toService({ appName, serviceUrl, vaultUrl, policyUrl, principalId }: z.infer<typeof outputsSchema>): Service {
  return {
    appName: appName.value,
    serviceUrl: serviceUrl.value,
    vaultUrl: vaultUrl.value,
    policyUrl: policyUrl.value,
    principalId: principalId.value,
  };
}

function parametersOf({ plan }: DeployContext, { nodeVersion }: Checked): readonly string[] {
  return nodeVersion === undefined ? [plan.file] : [plan.file, `nodeVersion=${nodeVersion}`];
}
