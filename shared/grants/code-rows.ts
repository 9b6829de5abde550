/**
 * Which grant an authorization code made (RFC 6749 section 4.1.2: a code that is used again revokes what its first use
 * made). One row for each code, which the first writer keeps: the grant that the code made, or a replay that came before
 * the grant was stored.
 */
import { fail, type Result, succeed } from "../core/result.ts";
import { type Int64, int64, type RowKeys } from "./columns.ts";
import type { GrantTable } from "./grant-table.ts";
import type { GrantStoreFailure } from "./grant-types.ts";

export interface ClaimCode {
  /** Hex SHA-256 of Entra's code. */
  readonly codeId: string;
  /** Undefined: a replay. */
  readonly grantId: string | undefined;
  readonly expiresAtSeconds: number;
}

/** What the row of a code says. Undefined: this call wrote it. */
export type ClaimedCode = Pick<ClaimCode, "grantId"> | undefined;

export async function claimCode(table: GrantTable, claim: ClaimCode): Promise<Result<ClaimedCode, GrantStoreFailure>> {
  const written = await table.call((abortSignal) => table.client.createEntity(toCodeRow(claim), { abortSignal }));
  if (!written.ok || written.value.done) return written.ok ? succeed(undefined) : written;
  const { state } = written.value;
  // Without its table, the service has stored no grant.
  if (state === "table_missing") return succeed(undefined);
  if (state !== "row_exists") return fail({ kind: "store_unavailable", code: state });
  const { partitionKey, rowKey } = codeKeys(claim.codeId);
  const found = await table.call((abortSignal) =>
    table.client.getEntity<CodeRow>(partitionKey, rowKey, { abortSignal }),
  );
  if (!found.ok) return found;
  const grantId = found.value.done ? found.value.value.grantId : undefined;
  // If the first answer was lost, the retry finds the row that this call wrote.
  return succeed(grantId !== undefined && grantId === claim.grantId ? undefined : { grantId });
}

// ---------------------------------------------------------------------------------------------------------------

interface CodeRow extends RowKeys {
  readonly grantId?: string;
  readonly expiresAtSeconds: Int64;
}

function codeKeys(codeId: string): RowKeys {
  return { partitionKey: `code-${codeId.slice(0, 2)}`, rowKey: codeId };
}

function toCodeRow({ codeId, grantId, expiresAtSeconds }: ClaimCode): CodeRow {
  const made = grantId === undefined ? {} : { grantId };
  return { ...codeKeys(codeId), ...made, expiresAtSeconds: int64(expiresAtSeconds) };
}
