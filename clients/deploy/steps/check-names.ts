/** Checks that every name that must be unique in the cloud is free, or already belongs to this deployment. */
import * as z from "zod/mini";
import type { DeployContext } from "../context.ts";
import type { Finding } from "./check-platform.ts";

const answerSchema = z.object({ nameAvailable: z.boolean(), message: z.nullish(z.string()) });

export async function checkNames(context: DeployContext): Promise<Finding> {
  const { az, plan } = context;
  const own = plan.groupExists ? await ownNames(context) : [];
  const isNew = (name: string) => !own.includes(name.toLowerCase());
  const problems: string[] = [];
  const report = (
    what: string,
    name: string,
    remedy: string,
    { nameAvailable, message }: z.infer<typeof answerSchema>,
  ) =>
    nameAvailable ||
    problems.push(`The ${what} name ${name} is not available: ${message ?? "it is in use."} ${remedy}`);
  if (isNew(plan.appName)) report("app", plan.appName, "Set appName to another one.", await checkAppName(context));
  if (isNew(plan.vaultName) && !plan.recoversVault) {
    const deleted = await deletedVaults(context);
    if (deleted.includes(plan.vaultName)) {
      problems.push(
        `A deleted vault has the name ${plan.vaultName}. Set recoverDeletedVault to true for this deployment: Azure then restores the vault with its secrets.`,
      );
    } else {
      const answer = await az.read(["keyvault", "check-name", "--name", plan.vaultName], answerSchema);
      report("vault", plan.vaultName, "Set name to another one.", answer);
    }
  }
  for (const name of plan.storageNames.filter(isNew)) {
    const answer = await az.read(["storage", "account", "check-name", "--name", name], answerSchema);
    report("storage account", name, "Set name to another one.", answer);
  }
  return { problems };
}

// ---------------------------------------------------------------------------------------------------------------

async function ownNames({ az, plan }: DeployContext): Promise<readonly string[]> {
  const query = ["resource", "list", "--resource-group", plan.group, "--query", "[].name"];
  return (await az.read(query, z.array(z.string()))).map((name) => name.toLowerCase());
}

function checkAppName({ az, plan }: DeployContext) {
  const { subscriptionId } = plan.account;
  const url = `/subscriptions/${subscriptionId}/providers/Microsoft.Web/checkNameAvailability?api-version=2024-04-01`;
  const body = JSON.stringify({ name: plan.appName, type: "Microsoft.Web/sites" });
  return az.read(["rest", "--method", "post", "--url", url, "--body", body], answerSchema);
}

function deletedVaults({ az }: DeployContext): Promise<readonly string[]> {
  return az.read(["keyvault", "list-deleted", "--resource-type", "vault", "--query", "[].name"], z.array(z.string()));
}
