/** The end of a run: what exists now, and the next commands. Pure. */
import type { DeployContext } from "./context.ts";

export function summary({ options, plan }: Pick<DeployContext, "options" | "plan">): string {
  if (options.dryRun) return "\nThis was a dry run. Nothing was changed.";
  return [
    "",
    `Service   ${plan.serviceUrl}`,
    `Group     ${plan.group}, ${plan.location}`,
    `Vault     ${plan.vaultName}`,
    "",
    "Next:",
    `  npm run registration -- ${plan.file} --report   # consent and roles compared with the policy`,
    `  curl ${plan.serviceUrl}/ready`,
    "  docs/deploy.md#who-may-use-the-service          # without an assignment Entra issues no token for the service",
  ].join("\n");
}
