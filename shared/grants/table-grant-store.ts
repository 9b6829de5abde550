/**
 * Grants in Azure Table Storage (Azurite locally). Imports the SDK through `table-client.ts`, so it is loaded lazily.
 * The store creates the table on first use. Every operation has its own deadline and at most one retry; writes are safe
 * to repeat. Failures: `GrantStoreFailure`. It never gets a handle, a key or an unsealed refresh token.
 */
import type { Grant } from "../core/grant.ts";
import { GRANT_STORE_DEADLINE_MS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { GrantExists, GrantPage, GrantStoreFailure, PageInvalid, StoredGrant } from "./grant.ts";
import {
  grantKeys,
  type IndexRow,
  idOfIndexRowKey,
  indexKeys,
  indexPartition,
  isIndexRowKey,
  isRevokedRow,
  personPartition,
  type RevokedRow,
  type RowKeys,
  readGrantRow,
  toGrantRow,
  toIndexRows,
  toRevokedRow,
} from "./grant-row.ts";
import type { GrantChange, GrantStore, ListGrants } from "./grant-store.ts";
import { reapRows } from "./reap-rows.ts";
import { callTable } from "./table-call.ts";
import { createTableClient, type GrantTable, type TableClientInput } from "./table-client.ts";

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
    deleteAndBlock: (grant, untilSeconds) => replaceWithMark(table, grant, untilSeconds),
    async block(id, untilSeconds) {
      const marked = await upsertRow(table, toRevokedRow(id, untilSeconds));
      return marked.ok ? succeed(true) : marked;
    },
    list: (request) => listGrantRows(table, request),
    reap: (request) => reapRows(table, request),
    async check() {
      // Any answer about a row that does not exist proves address, identity and permission.
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
  for (const row of toIndexRows(grant)) {
    const indexed = await upsertRow(table, row);
    if (!indexed.ok) return indexed;
  }
  const written = await table.call((abortSignal) =>
    table.client.createEntity(toGrantRow(grant, sealed), { abortSignal }),
  );
  if (!written.ok) return written;
  if (typeof written.value !== "string") return succeed({ grant, sealed, etag: written.value.etag ?? "" });
  // The first answer was lost and the retry met the row of this call, or another call's row, or the table was deleted.
  const found = await readRow(table, grant.id);
  if (!found.ok) return found;
  if (found.value?.sealed === sealed) return succeed(found.value);
  return written.value === "row_exists"
    ? fail({ kind: "grant_exists", grantId: grant.id })
    : fail({ kind: "store_unavailable", code: written.value });
}

/** Possibly the first write of a deployment, so it creates the table if it is missing. */
async function upsertRow(table: GrantTable, row: IndexRow | RevokedRow): Promise<Result<unknown, GrantStoreFailure>> {
  const write = () => table.call((abortSignal) => table.client.upsertEntity(row, "Replace", { abortSignal }));
  const written = await write();
  if (!written.ok || written.value !== "table_missing") return written;
  const created = await table.call((abortSignal) => table.client.createTable({ abortSignal }));
  if (!created.ok) return created;
  const again = await write();
  return again.ok && typeof again.value === "string" ? fail({ kind: "store_unavailable", code: again.value }) : again;
}

async function readRow(table: GrantTable, id: string): Promise<Result<StoredGrant | undefined, GrantStoreFailure>> {
  const { partitionKey, rowKey } = grantKeys(id);
  const found = await table.call((abortSignal) => table.client.getEntity(partitionKey, rowKey, { abortSignal }));
  if (!found.ok) return found;
  if (typeof found.value === "string" || isRevokedRow(found.value)) return succeed(undefined);
  const row = readGrantRow(found.value);
  return row === undefined ? fail({ kind: "store_row_invalid" }) : succeed({ ...row, etag: found.value.etag });
}

async function replaceRow(
  table: GrantTable,
  stored: StoredGrant,
  { sealed, lastRedeemedAtSeconds }: GrantChange,
): Promise<Result<StoredGrant | "changed" | "gone", GrantStoreFailure>> {
  const grant = { ...stored.grant, lastRedeemedAtSeconds };
  const written = await table.call((abortSignal) =>
    table.client.updateEntity(toGrantRow(grant, sealed), "Replace", { etag: stored.etag, abortSignal }),
  );
  if (!written.ok) return written;
  if (typeof written.value === "string") return succeed(written.value === "row_changed" ? "changed" : "gone");
  return succeed({ grant, sealed, etag: written.value.etag ?? "" });
}

async function deleteRows(table: GrantTable, grant: Grant): Promise<Result<boolean, GrantStoreFailure>> {
  const deleted = await deleteRow(table, grantKeys(grant.id));
  if (!deleted.ok) return deleted;
  await deleteIndexRows(table, grant);
  return succeed(typeof deleted.value !== "string");
}

/** Replaces the grant with the mark in one write, so that no other call can create the grant in between. */
async function replaceWithMark(
  table: GrantTable,
  grant: Grant,
  untilSeconds: number,
): Promise<Result<boolean, GrantStoreFailure>> {
  const mark = toRevokedRow(grant.id, untilSeconds);
  const replaced = await table.call((abortSignal) => table.client.updateEntity(mark, "Replace", { abortSignal }));
  if (!replaced.ok) return replaced;
  await deleteIndexRows(table, grant);
  return succeed(typeof replaced.value !== "string");
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
  const partitions = [indexPartition(caller), ...(onTheirBehalf ? [personPartition(caller)] : [])];
  const rowKeys: string[] = [];
  for (const partition of partitions) {
    const listed = await listIndex(table, partition, maxPageSize, after ?? "");
    if (!listed.ok) return listed;
    rowKeys.push(...listed.value);
  }
  // Row keys begin with the age, so both partitions share one order and one page mark.
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
      if (stored.ok && stored.value !== undefined) grants.push(stored.value.grant);
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
  return succeed(typeof page.value === "string" ? [] : page.value);
}
