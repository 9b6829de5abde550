/** The local stack for a test file, with the Azurite and the signing keys that serve the whole run. */
import { inject } from "vitest";
import { type Stack, type StackOptions, startStack } from "../../local/stack/stack.ts";
import { newTableName } from "./table-rows.ts";
import { newPrivateKey } from "./use-tenant.ts";

export function startTestStack(options: StackOptions = {}): Promise<Stack> {
  const serviceSettings = { GRANT_TABLE_NAME: newTableName(), ...options.serviceSettings };
  return startStack({ ...options, newPrivateKey, tables: inject("tables"), serviceSettings });
}
