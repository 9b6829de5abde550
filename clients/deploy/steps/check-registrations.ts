/** Checks that the registrations can be made by this command and belong to this deployment. */
import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as z from "zod/mini";
import { GUID } from "../../../shared/core/guid.ts";
import { CliFailure, oneLine } from "../../cli/cli-failure.ts";
import { EXIT } from "../../cli/exit-codes.ts";
import type { DeployContext } from "../context.ts";
import { ownerProblem } from "../plan/owner.ts";
import type { Plan } from "../plan/plan.ts";
import type { Finding } from "./check-platform.ts";
import { findIdentity } from "./identity.ts";

const BY_HAND = "Make the registrations with infra/entra-by-hand.md, and run the other steps with --step.";

export async function checkTenant({ az, plan }: DeployContext): Promise<Finding> {
  const cloud = await az.read(["cloud", "show", "--query", "name"], z.string());
  const { account, servedTenantId, uniqueName } = plan;
  return {
    problems: [
      ...(cloud === "AzureCloud" ? [] : [`The Graph extension of Bicep does not work in ${cloud}. ${BY_HAND}`]),
      ...(account.tenantId === servedTenantId
        ? []
        : [
            `The subscription is in the tenant ${account.tenantId}, and the service serves ${servedTenantId}. ${BY_HAND}`,
          ]),
      ...(GUID.test(uniqueName) ? [`The App ID URI was not registered by the template. ${BY_HAND}`] : []),
    ],
  };
}

const applicationSchema = z.object({
  id: z.string(),
  web: z.object({ redirectUris: z.array(z.string()) }),
});
const GRAPH = "https://graph.microsoft.com/v1.0";

/** Entra has the registration, its callback and whom it trusts. */
export async function checkOwner(context: DeployContext): Promise<Finding> {
  const { az, plan } = context;
  const get = (path: string) => ["rest", "--method", "get", "--url", `${GRAPH}/${path}`, "--query", "value"];
  const uri = `api://${plan.servedTenantId}/${plan.uniqueName}`;
  const filter = encodeURIComponent(`identifierUris/any(uri:uri eq '${uri}')`);
  const found = await az.read(get(`applications?$filter=${filter}&$select=id,web`), z.array(applicationSchema));
  const application = found[0];
  if (application === undefined) return {};
  const subjects = await az.read(
    get(`applications/${application.id}/federatedIdentityCredentials?$select=subject`),
    z.array(z.object({ subject: z.string() })),
  );
  const problem = ownerProblem(
    { redirectUris: application.web.redirectUris, subjects: subjects.map(({ subject }) => subject) },
    { ...plan, principalId: (await findIdentity(context))?.principalId },
  );
  return problem === undefined ? {} : { problems: [problem] };
}

/** `npm run registration` resolves the names and writes the parameters of infra/entra/entra.bicep. */
export async function checkPermissionNames({ plan, options, world, say }: DeployContext): Promise<Finding> {
  const path = registrationParameters(plan);
  mkdirSync(dirname(path), { recursive: true });
  const appOnly = options.appOnly.flatMap((one) => ["--app-only", one]);
  // The list of all permissions is not a result of this command.
  const terminal = { ...world.terminal, out: () => undefined };
  try {
    const code = await world.registration([options.file, "--parameters", path, ...appOnly], terminal);
    return code === EXIT.ok ? {} : { problems: ["The policy has names that do not exist. They are listed above."] };
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    say(oneLine(error.message));
    return { problems: ["The names in the policy could not be resolved."] };
  }
}

/** Contains ids only. */
export function registrationParameters({ tenant }: Plan): string {
  const root = resolve(import.meta.dirname, "../../..");
  return join(root, "node_modules/.cache/deploy", `${tenant}.registrations.json`);
}
