/** Reads Azurite's tables directly, for tests about stored rows. */
import { AzureNamedKeyCredential, TableClient } from "@azure/data-tables";
import { devStoreAccount } from "../../local/azurite/table-service.ts";

/** Every row of a table. */
export async function readTable(url: string, table: string): Promise<Record<string, unknown>[]> {
  const key = new AzureNamedKeyCredential(devStoreAccount.name, devStoreAccount.key);
  const client = new TableClient(url, table, key, { allowInsecureConnection: true });
  const rows: Record<string, unknown>[] = [];
  for await (const row of client.listEntities()) {
    rows.push(row);
  }
  return rows;
}
