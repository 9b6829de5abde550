/** What the account may do in a scope: https://learn.microsoft.com/rest/api/authorization/permissions */
import * as z from "zod/mini";
import type { Az } from "../az/az.ts";
import type { Permission } from "../plan/rights.ts";

const permissionsSchema = z.object({
  value: z.array(z.object({ actions: z.array(z.string()), notActions: z._default(z.array(z.string()), []) })),
});

/** `scope` is the id of a subscription or a resource group. */
export async function readPermissions(az: Az, scope: string): Promise<readonly Permission[]> {
  const url = `${scope}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01`;
  return (await az.read(["rest", "--method", "get", "--url", url], permissionsSchema)).value;
}
