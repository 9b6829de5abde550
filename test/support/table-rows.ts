/** Reads Azurite's tables as they are, for tests that ask what lies in the store. */
import { AzureNamedKeyCredential, TableClient } from "@azure/data-tables";
import { devStoreAccount } from "../../local/azurite/table-service.ts";

/** Every row of a table; none when there is no such table. */
export async function readTable(url: string, table: string): Promise<Record<string, unknown>[]> {
  const key = new AzureNamedKeyCredential(devStoreAccount.name, devStoreAccount.key);
  const client = new TableClient(url, table, key, { allowInsecureConnection: true });
  const rows: Record<string, unknown>[] = [];
  for await (const row of client.listEntities()) {
    rows.push(row);
  }
  return rows;
}
