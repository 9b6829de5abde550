/** The resource group and the resource providers. */
import type { DeployContext } from "../context.ts";
import type { Checked } from "./check.ts";

export async function prepareSubscription({ az, plan }: DeployContext, { unregistered }: Checked): Promise<void> {
  // Waits until the provider is registered: a deployment before that fails.
  for (const namespace of unregistered) await az.change(["provider", "register", "--namespace", namespace, "--wait"]);
  if (!plan.groupExists)
    await az.change(["group", "create", "--name", plan.group, "--location", plan.location, "--output", "none"]);
}
