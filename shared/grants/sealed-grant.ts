/**
 * Seals a grant: the refresh token together with the constant part of the record. An attacker who can write to the
 * storage can therefore not swap rows, assign a row to another caller or extend its lifetime. The readable record
 * serves for finding and listing; every redemption compares it with the sealed one. No I/O.
 */

import type { Grant, RequestedGrant } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { SealFailure } from "../sealing/seal-failure.ts";
import type { Sealer } from "../sealing/sealer.ts";
import type { GrantHandle } from "./grant-handle.ts";
import { handleBytes } from "./grant-handle.ts";
import type { StoredRequest } from "./grant-types.ts";

/** The purpose of the sealer for grants. */
export const GRANT_PURPOSE = "grant";

export async function sealGrant(
  sealer: Sealer,
  handle: GrantHandle,
  grant: Grant,
  refreshToken: SecretValue,
): Promise<Result<string, SealFailure>> {
  const text = JSON.stringify({ refreshToken: refreshToken.reveal(), record: constantRecord(grant) });
  return sealer.seal(text, handleBytes(handle));
}

export async function unsealGrant(
  sealer: Sealer,
  handle: GrantHandle,
  grant: Grant,
  sealed: string,
): Promise<Result<SecretValue, SealFailure>> {
  const unsealed = await sealer.unseal(sealed, handleBytes(handle));
  if (!unsealed.ok) return unsealed;
  const content = readSealedContent(unsealed.value);
  if (content === undefined || content.record !== constantRecord(grant))
    return fail({ kind: "seal_broken", problem: "row" });
  return succeed(new SecretValue(content.refreshToken));
}

/** The members of a grant that change only when a person allows it again, as one text. */
export function constantRecord(grant: Grant): string {
  return JSON.stringify([
    grant.id,
    grant.binding.kind,
    grant.binding.tenantId,
    grant.binding.clientId,
    grant.registration,
    grant.user.tenantId,
    grant.user.objectId,
    grant.apis.map(({ api, scopes }) => [api, scopes]),
    grant.policyEntry,
    grant.requestedBy.clientId,
    grant.requestedBy.userObjectId,
    grant.createdAtSeconds,
    grant.allowedAtSeconds,
    grant.expiresAtSeconds,
    grant.codeChallenge,
    grant.confirmation,
  ]);
}

/** A requested grant, whole. The member name keeps it apart from a sealed grant. */
export function sealRequest(
  sealer: Sealer,
  handle: GrantHandle,
  requested: RequestedGrant,
): Promise<Result<string, SealFailure>> {
  return sealer.seal(JSON.stringify({ requested }), handleBytes(handle));
}

/** `seal_broken` if the row's columns differ from what was sealed. */
export async function unsealRequest(
  sealer: Sealer,
  handle: GrantHandle,
  { requested: row, sealed }: StoredRequest,
): Promise<Result<RequestedGrant, SealFailure>> {
  const unsealed = await sealer.unseal(sealed, handleBytes(handle));
  if (!unsealed.ok) return unsealed;
  // The text is authenticated, so this service wrote it.
  const { requested } = JSON.parse(unsealed.value) as { readonly requested?: RequestedGrant };
  return requested !== undefined && rowText(requested) === rowText(row)
    ? succeed(requested)
    : fail({ kind: "seal_broken", problem: "row" });
}

// ---------------------------------------------------------------------------------------------------------------

function rowText({ id, binding, expiresAtSeconds }: StoredRequest["requested"]): string {
  return JSON.stringify([id, binding.kind, binding.tenantId, binding.clientId, expiresAtSeconds]);
}

function readSealedContent(text: string): { readonly refreshToken: string; readonly record: string } | undefined {
  // The text is authenticated, so this service wrote it. If it does not parse, that is a bug and may throw.
  const content: unknown = JSON.parse(text);
  if (typeof content !== "object" || content === null) return undefined;
  if (!("refreshToken" in content && "record" in content)) return undefined;
  const { refreshToken, record: sealedRecord } = content;
  return typeof refreshToken === "string" && typeof sealedRecord === "string"
    ? { refreshToken, record: sealedRecord }
    : undefined;
}
