/** The resource group and the resource providers. */
import type { DeployContext } from "../context.ts";
import type { Checked } from "./check.ts";

export async function prepareSubscription(context: DeployContext, { unregistered }: Checked): Promise<void> {
  const { az, plan, options } = context;
  if (!DEPLOYING.some((step) => options.steps.has(step))) return;
  // Waits until the provider is registered: a deployment before that fails.
  for (const namespace of unregistered) await az.change(["provider", "register", "--namespace", namespace, "--wait"]);
  if (!plan.groupExists)
    await az.change(["group", "create", "--name", plan.group, "--location", plan.location, "--output", "none"]);
}

// ---------------------------------------------------------------------------------------------------------------

/** The steps that deploy into the group. The others need what these made. */
const DEPLOYING = ["identity", "registrations", "service"] as const;
