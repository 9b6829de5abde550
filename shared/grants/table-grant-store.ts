/**
 * Grants in Azure Table Storage (Azurite locally). No SDK import: the table is given.
 * The store creates the table on first use. Every operation has its own deadline and at most one retry; writes are safe
 * to repeat. Failures: `GrantStoreFailure`. It never gets a handle, a key or an unsealed refresh token.
 */
import type { Grant } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { claimCode } from "./code-rows.ts";
import type { RowKeys } from "./columns.ts";
import { findGrants } from "./find-grants.ts";
import { changedContent } from "./grant-change.ts";
import { grantKeys, indexKeys, toGrantRow, toIndexRows, toRequestRow } from "./grant-row.ts";
import type { GrantChange, GrantStore } from "./grant-store.ts";
import type { GrantTable } from "./grant-table.ts";
import type { GrantContent, GrantExists, GrantStoreFailure, StoredGrant, StoredRow } from "./grant-types.ts";
import { listGrantRows, listGrantsOfUser } from "./list-grants.ts";
import { readRow } from "./read-row.ts";
import { reapRows } from "./reap-rows.ts";
import { searchGrants } from "./search-grants.ts";
import { upsertRow } from "./upsert-row.ts";

export function createTableGrantStore(table: GrantTable): GrantStore {
  const { client } = table;
  return {
    create: (content) => createRows(table, content),
    read: (id) => readRow(table, id),
    replace: (stored, change) => replaceRow(table, stored, change),
    delete: (grant) => deleteRows(table, grant),
    async request(requested, sealed) {
      const written = await upsertRow(table, toRequestRow(requested, sealed));
      return written.ok ? succeed(true) : written;
    },
    allow: (previous, content) => allowRows(table, previous, content),
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
    listOfUser: (request) => listGrantsOfUser(table, request),
    claimCode: (claim) => claimCode(table, claim),
    find: (request) => findGrants(table, request),
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
  content: GrantContent,
): Promise<Result<StoredGrant, GrantStoreFailure | GrantExists>> {
  const { grant, sealed } = content;
  const indexed = await upsertIndexRows(table, grant);
  if (!indexed.ok) return indexed;
  const written = await table.call((abortSignal) => table.client.createEntity(toGrantRow(content), { abortSignal }));
  if (!written.ok) return written;
  if (written.value.done) return succeed({ ...content, etag: written.value.value.etag ?? "" });
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

async function replaceRow(
  table: GrantTable,
  stored: StoredGrant,
  change: GrantChange,
): Promise<Result<StoredGrant | "changed" | "gone", GrantStoreFailure>> {
  return swapRow(table, stored.etag, changedContent(stored, change));
}

async function swapRow(
  table: GrantTable,
  etag: string,
  content: GrantContent,
): Promise<Result<StoredGrant | "changed" | "gone", GrantStoreFailure>> {
  const written = await table.call((abortSignal) =>
    table.client.updateEntity(toGrantRow(content), "Replace", { etag, abortSignal }),
  );
  if (!written.ok) return written;
  if (!written.value.done) return succeed(written.value.state === "row_changed" ? "changed" : "gone");
  return succeed({ ...content, etag: written.value.value.etag ?? "" });
}

async function allowRows(
  table: GrantTable,
  { etag }: StoredRow,
  content: GrantContent,
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
  const row = "grant" in previous ? toGrantRow(previous) : toRequestRow(previous.requested, previous.sealed);
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
