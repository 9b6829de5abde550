/** Checks of the tools and of what the subscription and the region offer. */
import * as z from "zod/mini";
import type { DeployContext } from "../context.ts";
import { permits } from "../plan/rights.ts";
import { chooseRuntime } from "../plan/runtime.ts";
import { readPermissions } from "./read-permissions.ts";

export interface Finding {
  readonly problems?: readonly string[];
  readonly notices?: readonly string[];
  readonly nodeVersion?: string | undefined;
  readonly unregistered?: readonly string[];
}

/** The first version with `--validation-level ProviderNoRbac`. */
const CLI_VERSION = [2, 76] as const;

export async function checkTools({ az }: DeployContext): Promise<Finding> {
  const versions = await az.read(["version"], z.object({ "azure-cli": z.string() }));
  const [major = 0, minor = 0] = versions["azure-cli"].split(".").map(Number);
  const isOld = major < CLI_VERSION[0] || (major === CLI_VERSION[0] && minor < CLI_VERSION[1]);
  if (!isOld) return {};
  return {
    problems: [`The Azure CLI is ${versions["azure-cli"]}, and ${CLI_VERSION.join(".")} is needed. Run: az upgrade`],
  };
}

export async function checkProviders({ az, plan }: DeployContext): Promise<Finding> {
  const states = await az.read(
    ["provider", "list", "--query", "[].{namespace:namespace,state:registrationState}"],
    z.array(z.object({ namespace: z.string(), state: z.string() })),
  );
  const registered = states
    .filter(({ state }) => state === "Registered")
    .map(({ namespace }) => namespace.toLowerCase());
  const unregistered = plan.namespaces.filter((name) => !registered.includes(name.toLowerCase()));
  if (unregistered.length === 0) return {};
  const permissions = await readPermissions(az, `/subscriptions/${plan.account.subscriptionId}`);
  const refused = unregistered.filter((name) => !permits(permissions, `${name}/register/action`));
  if (refused.length === 0) {
    return { unregistered, notices: [`These resource providers will be registered: ${unregistered.join(", ")}.`] };
  }
  const commands = refused.map((name) => `az provider register --namespace ${name}`).join("; ");
  return { problems: [`A contributor of the subscription must register resource providers once: ${commands}`] };
}

export async function checkRegion({ az, plan }: DeployContext): Promise<Finding> {
  const { location, nodeVersion } = plan;
  const offered = await az.read(
    // biome-ignore format: one command
    ["functionapp", "list-flexconsumption-runtimes", "--location", location, "--runtime", "node", "--query", "[].version"],
    z.array(z.string()),
  );
  const choice = chooseRuntime(nodeVersion, offered, location);
  switch (choice.kind) {
    case "wanted":
      return {};
    case "fallback":
      return { nodeVersion: choice.version, notices: [choice.notice] };
    case "none":
      return { problems: [choice.problem] };
  }
}

const usageSchema = z.object({ currentValue: z.number(), limit: z.number() });

export async function checkQuotas({ az, plan }: DeployContext): Promise<Finding> {
  const { location, storageNames } = plan;
  const accounts = await az.read(["storage", "account", "show-usage", "--location", location], usageSchema);
  const existing = await az.read(["storage", "account", "list", "--query", "[].name"], z.array(z.string()));
  const added = storageNames.filter((name) => !existing.includes(name)).length;
  if (accounts.currentValue + added <= accounts.limit) return {};
  return {
    problems: [
      `The subscription has ${accounts.currentValue} of ${accounts.limit} storage accounts in ${location}, and the deployment needs ${added} more. Request a higher quota.`,
    ],
  };
}
