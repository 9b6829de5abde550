/**
 * What a grant's seal holds: the refresh token and the whole unchanging record, so that a row cannot be swapped with
 * another, moved to another caller or given a longer life by whoever can write to the storage. The record in the row
 * serves for finding and listing; the sealed one is compared with it at every redemption. No I/O.
 */

import type { Grant } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { SealFailure } from "../sealing/seal-failure.ts";
import type { Sealer } from "../sealing/sealer.ts";
import type { GrantHandle } from "./handle.ts";
import { handleBytes } from "./handle.ts";

/** Purpose of the sealer that this file needs. */
export const GRANT_PURPOSE = "grant";

export async function sealGrant(
  sealer: Sealer,
  handle: GrantHandle,
  grant: Grant,
  refreshToken: SecretValue,
): Promise<Result<string, SealFailure>> {
  const text = JSON.stringify({ refreshToken: refreshToken.reveal(), record: record(grant) });
  return sealer.seal(text, handleBytes(handle));
}

export async function openSealedGrant(
  sealer: Sealer,
  handle: GrantHandle,
  grant: Grant,
  sealed: string,
): Promise<Result<SecretValue, SealFailure>> {
  const opened = await sealer.unseal(sealed, handleBytes(handle));
  if (!opened.ok) return opened;
  const content = parse(opened.value);
  if (content === undefined || content.record !== record(grant)) return fail({ kind: "seal_broken", problem: "row" });
  return succeed(new SecretValue(content.refreshToken));
}

/** Everything that never changes, as one text. */
function record(grant: Grant): string {
  return JSON.stringify([
    grant.id,
    grant.binding.kind,
    grant.binding.tenantId,
    grant.binding.clientId,
    grant.user.tenantId,
    grant.user.objectId,
    grant.apis.map(({ api, scopes }) => [api, scopes]),
    grant.policyEntry,
    grant.createdAtSeconds,
    grant.expiresAtSeconds,
  ]);
}

function parse(text: string): { readonly refreshToken: string; readonly record: string } | undefined {
  // Authenticated text of our own writing: if it does not parse, that is a programmer's mistake and may throw.
  const content: unknown = JSON.parse(text);
  if (typeof content !== "object" || content === null) return undefined;
  if (!("refreshToken" in content && "record" in content)) return undefined;
  const { refreshToken, record: sealedRecord } = content;
  return typeof refreshToken === "string" && typeof sealedRecord === "string"
    ? { refreshToken, record: sealedRecord }
    : undefined;
}
