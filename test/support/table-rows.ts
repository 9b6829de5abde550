/** Tables in the Azurite that serves all test files: their names, and their rows, read without the grant store. */
import { randomBytes } from "node:crypto";
import { AzureNamedKeyCredential, TableClient } from "@azure/data-tables";
import { devStoreAccount } from "../../local/azurite/table-service.ts";

/** The name of a table that no other test uses. */
export const newTableName = () => `grants${randomBytes(8).toString("hex")}`;

/** Every row of a world's grant table. */
export async function readTable({
  tableUrl,
  tableName,
}: {
  readonly tableUrl: string;
  readonly tableName: string;
}): Promise<Record<string, unknown>[]> {
  const key = new AzureNamedKeyCredential(devStoreAccount.name, devStoreAccount.key);
  const client = new TableClient(tableUrl, tableName, key, { allowInsecureConnection: true });
  const rows: Record<string, unknown>[] = [];
  for await (const row of client.listEntities()) {
    rows.push(row);
  }
  return rows;
}
