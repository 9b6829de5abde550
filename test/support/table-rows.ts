/** Tables in the Azurite that serves all test files: their names, and their rows, read without the grant store. */
import { randomBytes } from "node:crypto";
import { AzureNamedKeyCredential, TableClient } from "@azure/data-tables";
import { devStoreAccount } from "../../local/azurite/table-service.ts";

/** The name of a table that no other test uses. */
export const newTableName = () => `grants${randomBytes(8).toString("hex")}`;

interface Table {
  readonly tableUrl: string;
  readonly tableName: string;
}

function clientOf({ tableUrl, tableName }: Table): TableClient {
  const key = new AzureNamedKeyCredential(devStoreAccount.name, devStoreAccount.key);
  return new TableClient(tableUrl, tableName, key, { allowInsecureConnection: true });
}

/** Deletes a row as somebody who can write to the storage. */
export async function deleteTableRow(table: Table, row: Record<string, unknown>): Promise<void> {
  await clientOf(table).deleteEntity(String(row["partitionKey"]), String(row["rowKey"]));
}

/** Every row of a world's grant table. */
export async function readTable(table: Table): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for await (const row of clientOf(table).listEntities()) {
    rows.push(row);
  }
  return rows;
}
