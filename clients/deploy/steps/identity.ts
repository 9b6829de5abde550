/** The managed identity. It is first, because the registrations trust it. */
import * as z from "zod/mini";
import { settingsFailure } from "../../cli/cli-failure.ts";
import type { DeployContext, Identity } from "../context.ts";
import { deployTemplate } from "./deploy-template.ts";

const outputsSchema = z.object({
  resourceId: z.object({ value: z.string() }),
  principalId: z.object({ value: z.string() }),
});

/** Undefined in a dry run of a deployment that does not exist. */
export async function makeIdentity(context: DeployContext): Promise<Identity | undefined> {
  const { plan } = context;
  if (!isMadeHere(context)) return requiredIdentity(context);
  const outputs = await deployTemplate(context, outputsSchema, {
    name: "gte-identity",
    template: "infra/modules/identity.bicep",
    parameters: [`name=${plan.identityName}`, `location=${plan.location}`, `tags=${JSON.stringify(plan.tags)}`],
  });
  if (outputs === undefined) return findIdentity(context);
  return { resourceId: outputs.resourceId.value, principalId: outputs.principalId.value };
}

/** For a run of later steps only. */
export async function requiredIdentity(context: DeployContext): Promise<Identity | undefined> {
  const identity = await findIdentity(context);
  if (identity !== undefined || context.options.dryRun) return identity;
  throw settingsFailure(`The identity ${context.plan.identityId} does not exist. Run the step identity first.`);
}

const identitiesSchema = z.array(z.object({ id: z.string(), principalId: z.string() }));

export async function findIdentity({ az, plan }: DeployContext): Promise<Identity | undefined> {
  const identities = await az.read(
    ["identity", "list", "--query", "[].{id:id,principalId:principalId}"],
    identitiesSchema,
  );
  const found = identities.find(({ id }) => id.toLowerCase() === plan.identityId.toLowerCase());
  return found === undefined ? undefined : { resourceId: found.id, principalId: found.principalId };
}

// ---------------------------------------------------------------------------------------------------------------

/** The parameter identityId can name an identity of another group, which its owner makes. */
function isMadeHere({ plan }: DeployContext): boolean {
  const group = `/subscriptions/${plan.account.subscriptionId}/resourceGroups/${plan.group}/`;
  return plan.identityId.toLowerCase().startsWith(group.toLowerCase());
}
