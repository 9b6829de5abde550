/**
 * Grants of every owner, for the timers: a search through the whole table, one page and one deadline at a time.
 */
import { type Result, succeed } from "../core/result.ts";
import { readGrantRow } from "./grant-row.ts";
import type { FindGrants, FoundGrants } from "./grant-store.ts";
import type { GrantTable } from "./grant-table.ts";
import type { GrantStoreFailure, StoredGrant } from "./grant-types.ts";

/** Rows in one page: about 1 MB. */
const PAGE_ROWS = 200;

export async function findGrants(
  table: GrantTable,
  request: FindGrants,
): Promise<Result<FoundGrants, GrantStoreFailure>> {
  const { continuation } = request;
  const page = await table.page({ filter: filterOf(request), maxRows: PAGE_ROWS, continuation });
  if (!page.ok) return page;
  return succeed({ grants: page.value.rows.flatMap(toStoredGrant), continuation: page.value.continuation });
}

// ---------------------------------------------------------------------------------------------------------------

/** Index entries have no `createdAtSeconds`. A row of an event has, and is skipped as no grant. */
function filterOf(request: FindGrants): string {
  switch (request.which) {
    case "kept_alive":
      return "keepAliveAfterSeconds ge 0L";
    case "ending":
      return `expiresAtSeconds gt ${request.afterSeconds}L and expiresAtSeconds le ${request.bySeconds}L and createdAtSeconds ge 0L`;
  }
}

/** Skips a row that the service did not write. */
function toStoredGrant(row: Readonly<Record<string, unknown>>): StoredGrant[] {
  const content = readGrantRow(row);
  return content === undefined ? [] : [{ ...content, etag: String(row["etag"]) }];
}
