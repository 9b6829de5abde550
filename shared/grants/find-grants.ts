/**
 * Grants of every owner, for the timers: a search through the whole table, one page and one deadline at a time.
 */
import { type Result, succeed } from "../core/result.ts";
import { readGrantRow } from "./grant-row.ts";
import type { FindGrants, FoundGrants } from "./grant-store.ts";
import type { GrantStoreFailure, StoredGrant } from "./grant-types.ts";
import type { GrantTable } from "./table-client.ts";

/** Rows in one page: about 1 MB. */
const PAGE_ROWS = 200;

export async function findGrants(
  table: GrantTable,
  request: FindGrants,
): Promise<Result<FoundGrants, GrantStoreFailure>> {
  const empty: FoundGrants = { grants: [], continuation: undefined };
  const queryOptions = { filter: filterOf(request) };
  const { continuation } = request;
  const found = await table.call(async (abortSignal) => {
    const settings = {
      maxPageSize: PAGE_ROWS,
      ...(continuation === undefined ? {} : { continuationToken: continuation }),
    };
    for await (const page of table.client.listEntities({ queryOptions, abortSignal }).byPage(settings)) {
      return { grants: page.flatMap(toStoredGrant), continuation: page.continuationToken };
    }
    return empty;
  });
  if (!found.ok) return found;
  // A table that does not exist yet has no rows.
  return succeed(found.value.done ? found.value.value : empty);
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
