/**
 * Grants in Azure Table Storage (Azurite locally). Brings the SDK through `table-client.ts`, so it is loaded lazily. The
 * table is made on first use. Every operation has its own deadline and at most one retry; writes are safe to repeat.
 * Failures: `GrantStoreFailure`. It never sees a handle, a key or a refresh token.
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

/** Reads of one listing at the same moment. */
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
    create: (grant, sealed) => create(table, grant, sealed),
    read: (id) => read(table, id),
    replace: (stored, change) => replace(table, stored, change),
    delete: (grant) => remove(table, grant),
    bury: (grant, untilSeconds) => bury(table, grant, untilSeconds),
    async forbid(id, untilSeconds) {
      const marked = await upsert(table, toRevokedRow(id, untilSeconds));
      return marked.ok ? succeed(true) : marked;
    },
    list: (request) => list(table, request),
    reap: (request) => reapRows(table, request),
    async check() {
      // Any answer about a row that does not exist proves address, identity and permission.
      const asked = await table.call((abortSignal) => client.getEntity("check", "check", { abortSignal }));
      return asked.ok ? succeed(true) : asked;
    },
  };
}

async function create(
  table: GrantTable,
  grant: Grant,
  sealed: string,
): Promise<Result<StoredGrant, GrantStoreFailure | GrantExists>> {
  for (const row of toIndexRows(grant)) {
    const indexed = await upsert(table, row);
    if (!indexed.ok) return indexed;
  }
  const written = await table.call((abortSignal) =>
    table.client.createEntity(toGrantRow(grant, sealed), { abortSignal }),
  );
  if (!written.ok) return written;
  if (typeof written.value !== "string") return succeed({ grant, sealed, etag: written.value.etag ?? "" });
  // The first answer was lost and the retry met our own row; or somebody else's; or the table went away in between.
  const found = await read(table, grant.id);
  if (!found.ok) return found;
  if (found.value?.sealed === sealed) return succeed(found.value);
  return written.value === "row_exists"
    ? fail({ kind: "grant_exists", grantId: grant.id })
    : fail({ kind: "store_unavailable", code: written.value });
}

/** Possibly the first write of all, so it makes the table where there is none. */
async function upsert(table: GrantTable, row: IndexRow | RevokedRow): Promise<Result<unknown, GrantStoreFailure>> {
  const write = () => table.call((abortSignal) => table.client.upsertEntity(row, "Replace", { abortSignal }));
  const written = await write();
  if (!written.ok || written.value !== "table_missing") return written;
  const made = await table.call((abortSignal) => table.client.createTable({ abortSignal }));
  if (!made.ok) return made;
  const again = await write();
  return again.ok && typeof again.value === "string" ? fail({ kind: "store_unavailable", code: again.value }) : again;
}

async function read(table: GrantTable, id: string): Promise<Result<StoredGrant | undefined, GrantStoreFailure>> {
  const { partitionKey, rowKey } = grantKeys(id);
  const found = await table.call((abortSignal) => table.client.getEntity(partitionKey, rowKey, { abortSignal }));
  if (!found.ok) return found;
  if (typeof found.value === "string" || isRevokedRow(found.value)) return succeed(undefined);
  const row = readGrantRow(found.value);
  return row === undefined ? fail({ kind: "store_row_invalid" }) : succeed({ ...row, etag: found.value.etag });
}

async function replace(
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

async function remove(table: GrantTable, grant: Grant): Promise<Result<boolean, GrantStoreFailure>> {
  const deleted = await deleteRow(table, grantKeys(grant.id));
  if (!deleted.ok) return deleted;
  await unlist(table, grant);
  return succeed(typeof deleted.value !== "string");
}

/** Puts the mark in the grant's place in one write: there is no moment at which the place is free. */
async function bury(
  table: GrantTable,
  grant: Grant,
  untilSeconds: number,
): Promise<Result<boolean, GrantStoreFailure>> {
  const mark = toRevokedRow(grant.id, untilSeconds);
  const buried = await table.call((abortSignal) => table.client.updateEntity(mark, "Replace", { abortSignal }));
  if (!buried.ok) return buried;
  await unlist(table, grant);
  return succeed(typeof buried.value !== "string");
}

/** An index entry that stays behind points at nothing; listing skips it and the reaper takes it at its expiry. */
async function unlist(table: GrantTable, grant: Grant): Promise<void> {
  await Promise.all(indexKeys(grant).map((keys) => deleteRow(table, keys)));
}

function deleteRow(table: GrantTable, { partitionKey, rowKey }: RowKeys) {
  return table.call((abortSignal) => table.client.deleteEntity(partitionKey, rowKey, { abortSignal }));
}

async function list(
  table: GrantTable,
  { caller, limit, after, onTheirBehalf = false }: ListGrants,
): Promise<Result<GrantPage, GrantStoreFailure | PageInvalid>> {
  if (after !== undefined && !isIndexRowKey(after)) return fail({ kind: "page_invalid" });
  const maxPageSize = Math.min(Math.max(limit, 1), LIST_MAX);
  const partitions = [indexPartition(caller), ...(onTheirBehalf ? [personPartition(caller)] : [])];
  const all: string[] = [];
  for (const partition of partitions) {
    const rowKeys = await listIndex(table, partition, maxPageSize, after ?? "");
    if (!rowKeys.ok) return rowKeys;
    all.push(...rowKeys.value);
  }
  // Row keys begin with the age, so one order and one page mark serve for both.
  const page = all.sort().slice(0, maxPageSize);
  const grants = await readEach(table, page.map(idOfIndexRowKey));
  if (!grants.ok) return grants;
  return succeed({ grants: grants.value, next: page.length < maxPageSize ? undefined : page.at(-1) });
}

/** The grants that are there and ours. An index entry without a grant is left by a broken-off write or delete. */
async function readEach(
  table: GrantTable,
  ids: readonly string[],
): Promise<Result<readonly Grant[], GrantStoreFailure>> {
  const grants: Grant[] = [];
  for (let at = 0; at < ids.length; at += READS_AT_ONCE) {
    for (const stored of await Promise.all(ids.slice(at, at + READS_AT_ONCE).map((id) => read(table, id)))) {
      // A row that is not ours must not hide the caller's other grants; it cannot be redeemed either.
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
  // Ids of a validated token and a cursor of a checked form: nothing here can close a quotation mark.
  const filter = `PartitionKey eq '${partition}' and RowKey gt '${after}'`;
  const page = await table.call(async (abortSignal) => {
    const queryOptions = { filter, select: ["rowKey"] };
    const pages = table.client.listEntities({ queryOptions, abortSignal }).byPage({ maxPageSize });
    const rowKeys: string[] = [];
    // The service may answer with short or empty pages before the end.
    for await (const rows of pages) {
      rowKeys.push(...rows.map((row) => String(row.rowKey)));
      if (rowKeys.length >= maxPageSize) break;
    }
    return rowKeys.slice(0, maxPageSize);
  });
  if (!page.ok) return page;
  return succeed(typeof page.value === "string" ? [] : page.value);
}
