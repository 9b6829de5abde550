/** Lists of grants by their index entries. The entries only find candidates: each grant's own row counts. */
import type { Grant } from "../core/grant.ts";
import { inGroups } from "../core/in-groups.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { idOfIndexRowKey, indexPartition, isIndexRowKey, userPartition } from "./grant-row.ts";
import type { ListGrants, ListOfUser } from "./grant-store.ts";
import type { GrantTable } from "./grant-table.ts";
import type { GrantPage, GrantStoreFailure, PageInvalid } from "./grant-types.ts";
import { readRow } from "./read-row.ts";

/** Concurrent reads of one listing. */
const READS_AT_ONCE = 10;
const LIST_MAX = 50;
/** The most that the table service returns at once. */
const PAGE_ROWS = 1_000;

export async function listGrantRows(
  table: GrantTable,
  { caller, limit, after, endingBySeconds, onTheirBehalf = false }: ListGrants,
): Promise<Result<GrantPage, GrantStoreFailure | PageInvalid>> {
  if (after !== undefined && !isIndexRowKey(after)) return fail({ kind: "page_invalid" });
  const maxPageSize = Math.min(Math.max(limit, 1), LIST_MAX);
  const partitions = [indexPartition(caller), ...(onTheirBehalf ? [userPartition(caller)] : [])];
  const rowKeys: string[] = [];
  for (const partition of partitions) {
    const listed = await listIndex(table, { partition, maxPageSize, after: after ?? "", endingBySeconds });
    if (!listed.ok) return listed;
    rowKeys.push(...listed.value);
  }
  // Row keys begin with the age, so both partitions share one order and one pagination cursor.
  const page = rowKeys.sort().slice(0, maxPageSize);
  const grants = await readEach(table, page.map(idOfIndexRowKey));
  if (!grants.ok) return grants;
  return succeed({ grants: grants.value, next: page.length < maxPageSize ? undefined : page.at(-1) });
}

export async function listGrantsOfUser(
  table: GrantTable,
  { binding, user, afterSeconds, atLeast }: ListOfUser,
): Promise<Result<readonly Grant[], GrantStoreFailure>> {
  const partition =
    binding.kind === "user" ? indexPartition({ ...binding, objectId: user.objectId }) : userPartition(user);
  // Ids of a validated token or of the policy: no quotation mark.
  const owner = `PartitionKey eq '${partition}' and bindingClientId eq '${binding.clientId}'`;
  const listed = await rowKeysOf(table, `${owner} and expiresAtSeconds gt ${afterSeconds}L`, Number.POSITIVE_INFINITY);
  if (!listed.ok || listed.value.length < atLeast) return listed.ok ? succeed([]) : listed;
  const grants = await readEach(table, listed.value.map(idOfIndexRowKey));
  return grants.ok ? succeed(grants.value.filter(({ expiresAtSeconds }) => expiresAtSeconds > afterSeconds)) : grants;
}

// ---------------------------------------------------------------------------------------------------------------

/**
 * The grants that exist and that this service wrote. An interrupted write or delete leaves an index entry without a
 * grant.
 */
async function readEach(
  table: GrantTable,
  ids: readonly string[],
): Promise<Result<readonly Grant[], GrantStoreFailure>> {
  const grants: Grant[] = [];
  for (const group of inGroups(ids, READS_AT_ONCE)) {
    for (const stored of await Promise.all(group.map((id) => readRow(table, id)))) {
      // An invalid row must not hide the caller's other grants. It cannot be redeemed.
      if (!stored.ok && stored.failure.kind !== "store_row_invalid") return stored;
      if (stored.ok && stored.value !== undefined && "grant" in stored.value) grants.push(stored.value.grant);
    }
  }
  return succeed(grants);
}

interface IndexQuery {
  readonly partition: string;
  readonly maxPageSize: number;
  readonly after: string;
  readonly endingBySeconds: number | undefined;
}

async function listIndex(
  table: GrantTable,
  { partition, maxPageSize, after, endingBySeconds }: IndexQuery,
): Promise<Result<readonly string[], GrantStoreFailure>> {
  // The partition has ids of a validated token, and the cursor's form was checked: neither contains a quotation mark.
  const ending = endingBySeconds === undefined ? "" : ` and expiresAtSeconds le ${endingBySeconds}L`;
  const filter = `PartitionKey eq '${partition}' and RowKey gt '${after}'${ending}`;
  return rowKeysOf(table, filter, maxPageSize);
}

/** The first row keys that the filter finds, in their order. */
async function rowKeysOf(
  table: GrantTable,
  filter: string,
  most: number,
): Promise<Result<readonly string[], GrantStoreFailure>> {
  const page = await table.call(async (abortSignal) => {
    const queryOptions = { filter, select: ["rowKey"] };
    const maxPageSize = Math.min(most, PAGE_ROWS);
    const pages = table.client.listEntities({ queryOptions, abortSignal }).byPage({ maxPageSize });
    const rowKeys: string[] = [];
    // The table service may return short or empty pages before the last one.
    for await (const rows of pages) {
      rowKeys.push(...rows.map((row) => String(row.rowKey)));
      if (rowKeys.length >= most) break;
    }
    return rowKeys.slice(0, most);
  });
  if (!page.ok) return page;
  return succeed(page.value.done ? page.value.value : []);
}
