/** Checks what the account may do. A right that cannot be read is a notice: the step then says what is missing. */
import * as z from "zod/mini";
import type { DeployContext } from "../context.ts";
import { missingAzureRoles, missingDirectoryRoles } from "../plan/rights.ts";
import type { Finding } from "./check-platform.ts";
import { readPermissions } from "./read-permissions.ts";

export async function checkAzureRights({ az, plan, options }: DeployContext): Promise<Finding> {
  const group = plan.groupExists ? `/resourceGroups/${plan.group}` : "";
  const scope = `/subscriptions/${plan.account.subscriptionId}${group}`;
  return { problems: missingAzureRoles(await readPermissions(az, scope), plan, options.steps) };
}

export async function checkDirectoryRights({ az, plan, options }: DeployContext): Promise<Finding> {
  if (!plan.account.isPerson) {
    const needed = "Application.ReadWrite.All, DelegatedPermissionGrant.ReadWrite.All, AppRoleAssignment.ReadWrite.All";
    return { notices: [`An application is signed in. The step registrations needs its permissions ${needed}.`] };
  }
  const url = `https://graph.microsoft.com/v1.0/me/transitiveMemberOf/microsoft.graph.directoryRole?$select=roleTemplateId`;
  const roles = await az.read(
    ["rest", "--method", "get", "--url", url, "--query", "value[].roleTemplateId"],
    z.array(z.string()),
  );
  return { problems: missingDirectoryRoles(roles, options.appOnly.length > 0) };
}
