/**
 * The handle of a grant that the service keeps alive, sealed by the service's key alone: the one copy of a handle that the
 * service stores, and only for entries with `keepAliveDays`. It contains the grant's record, so a copy in another row, or
 * in a changed row, opens nothing. No I/O.
 */
import type { Grant } from "../core/grant.ts";
import { isJsonObject, member } from "../core/json-object.ts";
import { parseJson } from "../core/json-text.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SealFailure } from "../sealing/seal-failure.ts";
import type { Sealer } from "../sealing/sealer.ts";
import { type GrantHandle, parseHandle } from "./grant-handle.ts";
import type { StoredGrant } from "./grant-types.ts";
import { constantRecord } from "./sealed-grant.ts";

/** The purpose of the sealer for handles. */
export const HANDLE_PURPOSE = "grant-handle";

export function sealHandle(
  handleSealer: Sealer,
  handle: GrantHandle,
  grant: Grant,
): Promise<Result<string, SealFailure>> {
  return handleSealer.seal(JSON.stringify({ handle: handle.secret.reveal(), record: constantRecord(grant) }));
}

/** `seal_broken` if the column was sealed for another row or for another record. Undefined: the row has no such column. */
export async function unsealHandle(
  handleSealer: Sealer,
  { grant, sealedHandle }: StoredGrant,
): Promise<Result<GrantHandle | undefined, SealFailure>> {
  if (sealedHandle === undefined) return succeed(undefined);
  const unsealed = await handleSealer.unseal(sealedHandle);
  if (!unsealed.ok) return unsealed;
  const content = parseJson(unsealed.value);
  const [text, record] = isJsonObject(content) ? [member(content, "handle"), member(content, "record")] : [];
  const handle = typeof text === "string" ? parseHandle(text) : undefined;
  const isOfRow = handle?.ok === true && handle.value.id === grant.id && record === constantRecord(grant);
  return isOfRow ? succeed(handle.value) : fail({ kind: "seal_broken", problem: "row" });
}
