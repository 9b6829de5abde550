/**
 * The marks of administrators in the grant table. No SDK import: the table is given.
 * A new mark is written first and the version after it: a reader that sees the new version sees the mark.
 */
import { randomUUID } from "node:crypto";
import { fail, type Result, succeed } from "../core/result.ts";
import type { GrantTable } from "./grant-table.ts";
import type { GrantStoreFailure } from "./grant-types.ts";
import { MARK_PARTITION, markKeys, readMarkRow, toMarkRow, VERSION_KEYS, type VersionRow } from "./mark-row.ts";
import type { MarkStore, MarksFull, MarksRead, RevocationMark } from "./mark-store.ts";
import { upsertRow } from "./upsert-row.ts";

/** More revocations than an organization has in a year, and still two pages for an instance that starts. */
const MARKS_MAX = 2_000;
/** Pages of one read. The table service may return short pages. */
const PAGES_MAX = 50;
/** A version that no row has. */
const NO_VERSION = "none";

export function createTableMarkStore(table: GrantTable, marksMax = MARKS_MAX): MarkStore {
  return {
    async read(knownVersion) {
      const version = await readVersion(table);
      if (!version.ok) return version;
      if (version.value === knownVersion) return succeed("unchanged");
      return readMarks(table, version.value);
    },
    add: (mark) => addMark(table, mark, marksMax),
  };
}

// ---------------------------------------------------------------------------------------------------------------

async function readVersion(table: GrantTable): Promise<Result<string, GrantStoreFailure>> {
  const { partitionKey, rowKey } = VERSION_KEYS;
  const found = await table.call((abortSignal) => table.client.getEntity(partitionKey, rowKey, { abortSignal }));
  if (!found.ok) return found;
  return succeed(found.value.done ? String(found.value.value["version"]) : NO_VERSION);
}

async function readMarks(table: GrantTable, version: string): Promise<Result<MarksRead, GrantStoreFailure>> {
  const filter = `PartitionKey eq '${MARK_PARTITION}'`;
  const marks: RevocationMark[] = [];
  let continuation: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page = await table.page({ filter, continuation });
    if (!page.ok) return page;
    marks.push(...page.value.rows.flatMap((row) => readMarkRow(row) ?? []));
    continuation = page.value.continuation;
    if (continuation === undefined) return succeed({ version, marks });
  }
  return fail({ kind: "store_unavailable", code: "too_many_pages" });
}

async function addMark(
  table: GrantTable,
  mark: RevocationMark,
  marksMax: number,
): Promise<Result<true, GrantStoreFailure | MarksFull>> {
  const read = await readMarks(table, NO_VERSION);
  if (!read.ok) return read;
  const superfluous = read.value.marks.filter((other) => isCoveredBy(other, mark));
  if (read.value.marks.length - superfluous.length >= marksMax) return fail({ kind: "marks_full" });
  // Written again after a lost response: the same row.
  const written = await upsertRow(table, toMarkRow(mark));
  if (!written.ok) return written;
  const version: VersionRow = { ...VERSION_KEYS, version: randomUUID() };
  const published = await upsertRow(table, version);
  if (!published.ok) return published;
  await Promise.all(superfluous.map(({ id }) => deleteMark(table, id)));
  return succeed(true);
}

/** The newer mark says at least as much. */
function isCoveredBy(older: RevocationMark, mark: RevocationMark): boolean {
  const isSame = older.kind === mark.kind && older.key === mark.key;
  return (mark.kind === "everything" || isSame) && older.notBeforeSeconds <= mark.notBeforeSeconds;
}

/** A failure leaves a mark that says nothing new, until the next mark of its target. */
function deleteMark(table: GrantTable, id: string) {
  const { partitionKey, rowKey } = markKeys(id);
  return table.call((abortSignal) => table.client.deleteEntity(partitionKey, rowKey, { abortSignal }));
}
