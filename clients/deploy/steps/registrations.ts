/**
 * The registrations, in two deployments: applications and service principals, then credentials, assignments and consent.
 * In one deployment the second half fails, because Entra does not find yet what the first half has created:
 * https://github.com/microsoftgraph/msgraph-bicep-types/issues/271. Each is repeated for the same reason.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import * as z from "zod/mini";
import { settingsFailure } from "../../cli/cli-failure.ts";
import type { DeployContext, Identity } from "../context.ts";
import type { WrittenClientId } from "../plan/plan.ts";
import { writeClientIds } from "../plan/write-client-ids.ts";
import { registrationParameters } from "./check-registrations.ts";
import { deployTemplate } from "./deploy-template.ts";

export async function makeRegistrations(context: DeployContext, identity: Identity | undefined): Promise<void> {
  const { plan, say } = context;
  const principal = plan.usesFederation ? (identity?.principalId ?? "<principalId of the identity>") : "";
  // biome-ignore format: one list
  const parameters = [`@${relative(process.cwd(), registrationParameters(plan))}`, ...ownParameters(context),
    `serviceUrl=${plan.serviceUrl}`, `uniqueName=${plan.uniqueName}`, `managedIdentityPrincipalId=${principal}`];
  const deploy = (name: string, more: readonly string[]) =>
    deployTemplate(context, outputsSchema, {
      name,
      template: "infra/entra/entra.bicep",
      parameters: [...parameters, ...more],
      passing: ["replication"],
    });
  await deploy("gte-applications", ["onlyApplications=true"]);
  const outputs = await deploy("gte-registrations", []);
  if (outputs === undefined) return;
  const registered = outputs.registrations.value.map(({ name, clientId }) => ({ registration: name, clientId }));
  rewriteFile(context, registered);
  const { value: commandLine } = outputs.commandLineClientId;
  if (commandLine !== "") say(`The client id of the command line is ${commandLine}.`);
}

// ---------------------------------------------------------------------------------------------------------------

const outputsSchema = z.object({
  registrations: z.object({ value: z.array(z.object({ name: z.string(), clientId: z.string() })) }),
  commandLineClientId: z.object({ value: z.string() }),
});

/** Who may use the service, and other parameters of entra.bicep, if the team has such a file beside the tenant's. */
function ownParameters({ options }: DeployContext): readonly string[] {
  const path = options.file.replace(/\.bicepparam$/, ".entra.json");
  return existsSync(path) ? [`@${path}`] : [];
}

/** The pipeline deploys the same file, so the ids are in it and not only in this run. */
function rewriteFile({ plan, say }: DeployContext, registered: readonly WrittenClientId[]): void {
  const { text, changed, unclear } = writeClientIds(readFileSync(plan.file, "utf8"), plan.clientIds, registered);
  if (changed.length > 0) writeFileSync(plan.file, text);
  for (const one of changed) say(`${plan.file}: ${nameOf(one)} is now ${one.clientId}. Commit this change.`);
  if (unclear.length === 0) return;
  const lines = unclear.map((one) => `${nameOf(one)} = ${one.clientId}`);
  throw settingsFailure(
    `Write these client ids into ${plan.file}, where the old ones are not literal values: ${lines.join(", ")}. Then run the same command again.`,
  );
}

function nameOf({ registration }: WrittenClientId): string {
  return registration === "" ? "clientId" : `policy.registrations.${registration}.clientId`;
}
