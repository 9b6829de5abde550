/** One row of the grant table, by the id of its grant. */
import { fail, type Result, succeed } from "../core/result.ts";
import { grantKeys, isRequestRow, readGrantRow, readRequestRow } from "./grant-row.ts";
import type { GrantTable } from "./grant-table.ts";
import type { GrantStoreFailure, StoredRow } from "./grant-types.ts";

export async function readRow(
  table: GrantTable,
  id: string,
): Promise<Result<StoredRow | undefined, GrantStoreFailure>> {
  const { partitionKey, rowKey } = grantKeys(id);
  const found = await table.call((abortSignal) => table.client.getEntity(partitionKey, rowKey, { abortSignal }));
  if (!found.ok) return found;
  if (!found.value.done) return succeed(undefined);
  const { value } = found.value;
  const row = isRequestRow(value) ? readRequestRow(value) : readGrantRow(value);
  return row === undefined ? fail({ kind: "store_row_invalid" }) : succeed({ ...row, etag: value.etag });
}
