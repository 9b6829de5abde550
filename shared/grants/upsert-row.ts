/** Writes a row that may be the first of a deployment, so it creates the table if it is missing. */
import { fail, type Result } from "../core/result.ts";
import type { RowKeys } from "./columns.ts";
import type { GrantTable } from "./grant-table.ts";
import type { GrantStoreFailure } from "./grant-types.ts";

export async function upsertRow(table: GrantTable, row: RowKeys): Promise<Result<unknown, GrantStoreFailure>> {
  const write = () => table.call((abortSignal) => table.client.upsertEntity(row, "Replace", { abortSignal }));
  const written = await write();
  if (!written.ok || written.value.done || written.value.state !== "table_missing") return written;
  const created = await table.call((abortSignal) => table.client.createTable({ abortSignal }));
  if (!created.ok) return created;
  const again = await write();
  return again.ok && !again.value.done ? fail({ kind: "store_unavailable", code: again.value.state }) : again;
}
