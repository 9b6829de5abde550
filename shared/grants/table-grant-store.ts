/**
 * Grants in Azure Table Storage (Azurite locally). Imports the SDK through `table-client.ts`, so it is loaded lazily.
 * The store creates the table on first use. Every operation has its own deadline and at most one retry; writes are safe
 * to repeat. Failures: `GrantStoreFailure`. It never gets a handle, a key or an unsealed refresh token.
 */
import type { Grant } from "../core/grant.ts";
import { GRANT_STORE_DEADLINE_MS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { RowKeys } from "./columns.ts";
import {
  grantKeys,
  idOfIndexRowKey,
  indexKeys,
  indexPartition,
  isIndexRowKey,
  isRequestRow,
  readGrantRow,
  readRequestRow,
  toGrantRow,
  toIndexRows,
  toRequestRow,
  userPartition,
} from "./grant-row.ts";
import type { GrantChange, GrantStore, ListGrants } from "./grant-store.ts";
import type { GrantExists, GrantPage, GrantStoreFailure, PageInvalid, StoredGrant, StoredRow } from "./grant-types.ts";
import { reapRows } from "./reap-rows.ts";
import { searchGrants } from "./search-grants.ts";
import { callTable } from "./table-call.ts";
import { createTableClient, type GrantTable, type TableClientInput } from "./table-client.ts";
import { upsertRow } from "./upsert-row.ts";

/** Concurrent reads of one listing. */
const READS_AT_ONCE = 10;
const LIST_MAX = 50;

export interface TableGrantStoreInput extends TableClientInput {
  /** For tests; normally `GRANT_STORE_DEADLINE_MS`. */
  readonly deadlineMs?: number;
}

export function createTableGrantStore(input: TableGrantStoreInput): GrantStore {
  const client = createTableClient(input);
  const deadlineMs = input.deadlineMs ?? GRANT_STORE_DEADLINE_MS;
  const table: GrantTable = { client, call: (operation) => callTable(operation, deadlineMs) };
  return {
    create: (grant, sealed) => createRows(table, grant, sealed),
    read: (id) => readRow(table, id),
    replace: (stored, change) => replaceRow(table, stored, change),
    delete: (grant) => deleteRows(table, grant),
    async request(requested, sealed) {
      const written = await upsertRow(table, toRequestRow(requested, sealed));
      return written.ok ? succeed(true) : written;
    },
    allow: (previous, grant, sealed) => allowRows(table, previous, { grant, sealed }),
    restore: (allowed, previous) => restoreRows(table, allowed, previous),
    async withdraw({ requested, etag }) {
      const { partitionKey, rowKey } = grantKeys(requested.id);
      const deleted = await table.call((abortSignal) =>
        client.deleteEntity(partitionKey, rowKey, { etag, abortSignal }),
      );
      if (!deleted.ok) return deleted;
      if (deleted.value.done) return succeed("removed");
      return succeed(deleted.value.state === "row_changed" ? "changed" : "gone");
    },
    list: (request) => listGrantRows(table, request),
    search: (request) => searchGrants(table, request),
    reap: (request) => reapRows(table, request),
    async check() {
      // Even a 404 for the row proves that endpoint, identity and role assignment work.
      const checked = await table.call((abortSignal) => client.getEntity("check", "check", { abortSignal }));
      return checked.ok ? succeed(true) : checked;
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

async function createRows(
  table: GrantTable,
  grant: Grant,
  sealed: string,
): Promise<Result<StoredGrant, GrantStoreFailure | GrantExists>> {
  const indexed = await upsertIndexRows(table, grant);
  if (!indexed.ok) return indexed;
  const written = await table.call((abortSignal) =>
    table.client.createEntity(toGrantRow(grant, sealed), { abortSignal }),
  );
  if (!written.ok) return written;
  if (written.value.done) return succeed({ grant, sealed, etag: written.value.value.etag ?? "" });
  // The table service did not create the row, for one of three reasons:
  // - the first response was lost, and the retry found the row of this call: the grant was created;
  // - another call created a row with this id: the grant exists;
  // - the table was deleted after the index entries were written: the store is unavailable.
  const found = await readRow(table, grant.id);
  if (!found.ok) return found;
  if (found.value?.sealed === sealed && "grant" in found.value) return succeed(found.value);
  const { state } = written.value;
  return state === "row_exists"
    ? fail({ kind: "grant_exists", grantId: grant.id })
    : fail({ kind: "store_unavailable", code: state });
}

async function upsertIndexRows(table: GrantTable, grant: Grant): Promise<Result<true, GrantStoreFailure>> {
  for (const row of toIndexRows(grant)) {
    const indexed = await upsertRow(table, row);
    if (!indexed.ok) return indexed;
  }
  return succeed(true);
}

async function readRow(table: GrantTable, id: string): Promise<Result<StoredRow | undefined, GrantStoreFailure>> {
  const { partitionKey, rowKey } = grantKeys(id);
  const found = await table.call((abortSignal) => table.client.getEntity(partitionKey, rowKey, { abortSignal }));
  if (!found.ok) return found;
  if (!found.value.done) return succeed(undefined);
  const { value } = found.value;
  const row = isRequestRow(value) ? readRequestRow(value) : readGrantRow(value);
  return row === undefined ? fail({ kind: "store_row_invalid" }) : succeed({ ...row, etag: value.etag });
}

async function replaceRow(
  table: GrantTable,
  stored: StoredGrant,
  { sealed, ...times }: GrantChange,
): Promise<Result<StoredGrant | "changed" | "gone", GrantStoreFailure>> {
  return swapRow(table, stored.etag, { grant: { ...stored.grant, ...times }, sealed });
}

async function swapRow(
  table: GrantTable,
  etag: string,
  { grant, sealed }: Omit<StoredGrant, "etag">,
): Promise<Result<StoredGrant | "changed" | "gone", GrantStoreFailure>> {
  const written = await table.call((abortSignal) =>
    table.client.updateEntity(toGrantRow(grant, sealed), "Replace", { etag, abortSignal }),
  );
  if (!written.ok) return written;
  if (!written.value.done) return succeed(written.value.state === "row_changed" ? "changed" : "gone");
  return succeed({ grant, sealed, etag: written.value.value.etag ?? "" });
}

async function allowRows(
  table: GrantTable,
  { etag }: StoredRow,
  content: Omit<StoredGrant, "etag">,
): Promise<Result<StoredGrant | "changed" | "gone", GrantStoreFailure>> {
  const indexed = await upsertIndexRows(table, content.grant);
  if (!indexed.ok) return indexed;
  const swapped = await swapRow(table, etag, content);
  if (!swapped.ok || swapped.value !== "changed") return swapped;
  // If the first response was lost, the retry finds the row that this call wrote.
  const found = await readRow(table, content.grant.id);
  if (!found.ok) return found;
  return succeed(found.value?.sealed === content.sealed && "grant" in found.value ? found.value : "changed");
}

/** Index entries of a grant that is only requested again stay: a listing skips them, and the reaper deletes them. */
async function restoreRows(
  table: GrantTable,
  { etag }: StoredGrant,
  previous: StoredRow,
): Promise<Result<boolean, GrantStoreFailure>> {
  const row =
    "grant" in previous
      ? toGrantRow(previous.grant, previous.sealed)
      : toRequestRow(previous.requested, previous.sealed);
  const restored = await table.call((abortSignal) => table.client.updateEntity(row, "Replace", { etag, abortSignal }));
  return restored.ok ? succeed(restored.value.done) : restored;
}

async function deleteRows(table: GrantTable, grant: Grant): Promise<Result<boolean, GrantStoreFailure>> {
  const deleted = await deleteRow(table, grantKeys(grant.id));
  if (!deleted.ok) return deleted;
  await deleteIndexRows(table, grant);
  return succeed(deleted.value.done);
}

/** Ignores failures: listing skips an index entry without a grant, and the reaper deletes it after its expiry. */
async function deleteIndexRows(table: GrantTable, grant: Grant): Promise<void> {
  await Promise.all(indexKeys(grant).map((keys) => deleteRow(table, keys)));
}

function deleteRow(table: GrantTable, { partitionKey, rowKey }: RowKeys) {
  return table.call((abortSignal) => table.client.deleteEntity(partitionKey, rowKey, { abortSignal }));
}

async function listGrantRows(
  table: GrantTable,
  { caller, limit, after, onTheirBehalf = false }: ListGrants,
): Promise<Result<GrantPage, GrantStoreFailure | PageInvalid>> {
  if (after !== undefined && !isIndexRowKey(after)) return fail({ kind: "page_invalid" });
  const maxPageSize = Math.min(Math.max(limit, 1), LIST_MAX);
  const partitions = [indexPartition(caller), ...(onTheirBehalf ? [userPartition(caller)] : [])];
  const rowKeys: string[] = [];
  for (const partition of partitions) {
    const listed = await listIndex(table, partition, maxPageSize, after ?? "");
    if (!listed.ok) return listed;
    rowKeys.push(...listed.value);
  }
  // Row keys begin with the age, so both partitions share one order and one pagination cursor.
  const page = rowKeys.sort().slice(0, maxPageSize);
  const grants = await readEach(table, page.map(idOfIndexRowKey));
  if (!grants.ok) return grants;
  return succeed({ grants: grants.value, next: page.length < maxPageSize ? undefined : page.at(-1) });
}

/**
 * The grants that exist and that this service wrote. An interrupted write or delete leaves an index entry without a
 * grant.
 */
async function readEach(
  table: GrantTable,
  ids: readonly string[],
): Promise<Result<readonly Grant[], GrantStoreFailure>> {
  const grants: Grant[] = [];
  for (let at = 0; at < ids.length; at += READS_AT_ONCE) {
    for (const stored of await Promise.all(ids.slice(at, at + READS_AT_ONCE).map((id) => readRow(table, id)))) {
      // An invalid row must not hide the caller's other grants. It cannot be redeemed.
      if (!stored.ok && stored.failure.kind !== "store_row_invalid") return stored;
      if (stored.ok && stored.value !== undefined && "grant" in stored.value) grants.push(stored.value.grant);
    }
  }
  return succeed(grants);
}

async function listIndex(
  table: GrantTable,
  partition: string,
  maxPageSize: number,
  after: string,
): Promise<Result<readonly string[], GrantStoreFailure>> {
  // The partition has ids of a validated token, and the cursor's form was checked: neither contains a quotation mark.
  const filter = `PartitionKey eq '${partition}' and RowKey gt '${after}'`;
  const page = await table.call(async (abortSignal) => {
    const queryOptions = { filter, select: ["rowKey"] };
    const pages = table.client.listEntities({ queryOptions, abortSignal }).byPage({ maxPageSize });
    const rowKeys: string[] = [];
    // The table service may return short or empty pages before the last one.
    for await (const rows of pages) {
      rowKeys.push(...rows.map((row) => String(row.rowKey)));
      if (rowKeys.length >= maxPageSize) break;
    }
    return rowKeys.slice(0, maxPageSize);
  });
  if (!page.ok) return page;
  return succeed(page.value.done ? page.value.value : []);
}
