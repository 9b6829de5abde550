/**
 * Marks of administrators as rows of the grant table, in a partition of their own. One more row has the version: it
 * changes after each new mark, so an instance that knows the version reads one small row. Pure.
 */
import { REVOCATION_KINDS, type RevocationKind } from "../core/revocation.ts";
import { type Int64, int64, type RowKeys, readSeconds, readString } from "./columns.ts";
import type { RevocationMark } from "./mark-store.ts";

export const MARK_PARTITION = "revocations";
export const VERSION_KEYS: RowKeys = { partitionKey: MARK_PARTITION, rowKey: "version" };

export interface MarkRow extends RowKeys {
  readonly kind: RevocationKind;
  readonly key: string;
  readonly notBeforeSeconds: Int64;
  readonly reason: string;
  readonly createdAtSeconds: Int64;
  readonly byClientId: string;
  readonly byObjectId: string;
  /** The reaper deletes the row then. */
  readonly expiresAtSeconds: Int64;
}

export interface VersionRow extends RowKeys {
  readonly version: string;
}

/** Longer than any grant lasts (`grantMaxDays`) that a person allowed before the mark. */
const MARK_SECONDS = 366 * 24 * 3600;

export function markKeys(id: string): RowKeys {
  return { partitionKey: MARK_PARTITION, rowKey: id };
}

export function toMarkRow({ id, kind, key, notBeforeSeconds, reason, createdAtSeconds, by }: RevocationMark): MarkRow {
  return {
    ...markKeys(id),
    kind,
    key,
    notBeforeSeconds: int64(notBeforeSeconds),
    reason,
    createdAtSeconds: int64(createdAtSeconds),
    byClientId: by.clientId,
    byObjectId: by.objectId,
    expiresAtSeconds: int64(notBeforeSeconds + MARK_SECONDS),
  };
}

/** Undefined: the service did not write this row. */
export function readMarkRow(row: Readonly<Record<string, unknown>>): RevocationMark | undefined {
  try {
    return {
      id: readString(row["rowKey"]),
      kind: readKind(row["kind"]),
      key: row["kind"] === "everything" ? "" : readString(row["key"]),
      notBeforeSeconds: readSeconds(row["notBeforeSeconds"]),
      reason: readString(row["reason"]),
      createdAtSeconds: readSeconds(row["createdAtSeconds"]),
      by: { clientId: readString(row["byClientId"]), objectId: readString(row["byObjectId"]) },
    };
  } catch {
    return undefined;
  }
}

// ---------------------------------------------------------------------------------------------------------------

function readKind(value: unknown): RevocationKind {
  const kind = REVOCATION_KINDS.find((one) => one === value);
  if (kind === undefined) throw new TypeError("not a kind");
  return kind;
}
