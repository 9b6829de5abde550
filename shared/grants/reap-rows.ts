/**
 * Deletes expired rows of the grant table, grants and index entries: bounded, counted, and with a dry run that only
 * counts. A person can allow an expired grant again, so a row is deleted only as the query found it.
 * Failures: those of the query; a row that cannot be deleted is counted.
 */
import { type Result, succeed } from "../core/result.ts";
import type { RowKeys } from "./columns.ts";
import type { GrantStoreFailure, ReapReport } from "./grant-types.ts";
import type { GrantTable } from "./table-client.ts";

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
  for (let at = 0; at < rows.length; at += DELETES_AT_ONCE) {
    const outcomes = await Promise.all(rows.slice(at, at + DELETES_AT_ONCE).map((row) => deleteExpiredRow(table, row)));
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
  let continuationToken: string | undefined;
  for (let pages = 0; pages < PAGES_MAX && rows.length < limit; pages += 1) {
    const page = await nextPage(table, beforeSeconds, continuationToken);
    if (!page.ok) return page;
    rows.push(...page.value.rows);
    continuationToken = page.value.continuationToken;
    if (continuationToken === undefined) break;
  }
  return succeed({ rows: rows.slice(0, limit), more: rows.length > limit || continuationToken !== undefined });
}

interface Page {
  readonly rows: readonly ExpiredRow[];
  readonly continuationToken: string | undefined;
}

/** Each page is one operation with its own deadline, so that a long run can finish. */
async function nextPage(
  table: GrantTable,
  beforeSeconds: number,
  continuationToken: string | undefined,
): Promise<Result<Page, GrantStoreFailure>> {
  const empty: Page = { rows: [], continuationToken: undefined };
  const queryOptions = {
    filter: `expiresAtSeconds lt ${beforeSeconds}L`,
    select: ["partitionKey", "rowKey"],
  };
  const queried = await table.call(async (abortSignal) => {
    const settings = { maxPageSize: PAGE_ROWS, ...(continuationToken === undefined ? {} : { continuationToken }) };
    for await (const page of table.client.listEntities({ queryOptions, abortSignal }).byPage(settings)) {
      const rows = page.map(({ partitionKey, rowKey, etag }) => ({
        partitionKey: String(partitionKey),
        rowKey: String(rowKey),
        etag: String(etag),
      }));
      return { rows, continuationToken: page.continuationToken };
    }
    return empty;
  });
  if (!queried.ok) return queried;
  // A table that does not exist yet has no rows.
  return succeed(queried.value.done ? queried.value.value : empty);
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
