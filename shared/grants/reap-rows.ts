/**
 * Deletes expired rows of the grant table, grants and index entries: bounded, counted, and with a dry run that only
 * counts. A person can allow an expired grant again, so a row is deleted only as the query found it.
 * Failures: those of the query; a row that cannot be deleted is counted.
 */
import { inGroups } from "../core/in-groups.ts";
import { type Result, succeed } from "../core/result.ts";
import type { RowKeys } from "./columns.ts";
import type { GrantTable } from "./grant-table.ts";
import type { GrantStoreFailure, ReapReport } from "./grant-types.ts";

/** Rows requested in one page. */
const PAGE_ROWS = 200;
/** The table service may return empty pages while it searches. A run ends after this many pages. */
const PAGES_MAX = 100;
const DELETES_AT_ONCE = 10;

export interface ReapRequest {
  readonly beforeSeconds: number;
  readonly limit: number;
  readonly dryRun: boolean;
}

export async function reapRows(
  table: GrantTable,
  request: ReapRequest,
): Promise<Result<ReapReport, GrantStoreFailure>> {
  const found = await findExpired(table, request);
  if (!found.ok) return found;
  const { rows, more } = found.value;
  if (request.dryRun) return succeed({ expired: rows.length, deleted: 0, failed: 0, more });
  let [deleted, failed] = [0, 0];
  for (const group of inGroups(rows, DELETES_AT_ONCE)) {
    const outcomes = await Promise.all(group.map((row) => deleteExpiredRow(table, row)));
    deleted += outcomes.filter((outcome) => outcome === "gone").length;
    failed += outcomes.filter((outcome) => outcome === "failed").length;
  }
  return succeed({ expired: rows.length, deleted, failed, more });
}

// ---------------------------------------------------------------------------------------------------------------

interface ExpiredRow extends RowKeys {
  readonly etag: string;
}

async function findExpired(
  table: GrantTable,
  { beforeSeconds, limit }: ReapRequest,
): Promise<Result<{ readonly rows: readonly ExpiredRow[]; readonly more: boolean }, GrantStoreFailure>> {
  const rows: ExpiredRow[] = [];
  const query = {
    filter: `expiresAtSeconds lt ${beforeSeconds}L`,
    select: ["partitionKey", "rowKey"],
    maxRows: PAGE_ROWS,
  };
  let continuation: string | undefined;
  for (let pages = 0; pages < PAGES_MAX && rows.length < limit; pages += 1) {
    const page = await table.page({ ...query, continuation });
    if (!page.ok) return page;
    rows.push(...page.value.rows.map(toExpiredRow));
    continuation = page.value.continuation;
    if (continuation === undefined) break;
  }
  return succeed({ rows: rows.slice(0, limit), more: rows.length > limit || continuation !== undefined });
}

function toExpiredRow({ partitionKey, rowKey, etag }: Readonly<Record<string, unknown>>): ExpiredRow {
  return { partitionKey: String(partitionKey), rowKey: String(rowKey), etag: String(etag) };
}

/** Gone: this run or another one deleted the row. Changed: a person allowed the grant again. */
async function deleteExpiredRow(
  table: GrantTable,
  { partitionKey, rowKey, etag }: ExpiredRow,
): Promise<"gone" | "changed" | "failed"> {
  const deleted = await table.call((abortSignal) =>
    table.client.deleteEntity(partitionKey, rowKey, { etag, abortSignal }),
  );
  if (!deleted.ok) return "failed";
  if (deleted.value.done || deleted.value.state === "row_missing") return "gone";
  return deleted.value.state === "row_changed" ? "changed" : "failed";
}
