/**
 * Opens a grant for the caller that it is bound to. Checks existence, binding, seal, revocation and expiry, so that
 * another caller does not learn that a grant expired, was revoked or is pending.
 */
import type { RequestedGrant } from "../core/grant.ts";
import { REQUESTED_GRANT_SECONDS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import { isSameUser, type UserIdentity } from "../core/user-identity.ts";
import type { Sealer } from "../sealing/sealer.ts";
import { type GrantHandle, parseHandle } from "./grant-handle.ts";
import type { GrantStore } from "./grant-store.ts";
import type {
  GrantCaller,
  GrantFailure,
  IsLive,
  Revocable,
  StoredGrant,
  StoredRequest,
  StoredRow,
  UnsealedGrant,
} from "./grant-types.ts";
import { unsealGrant, unsealRequest } from "./sealed-grant.ts";

export interface OpenInput {
  readonly store: Pick<GrantStore, "read">;
  readonly sealer: Sealer;
  readonly isLive: IsLive;
  readonly nowSeconds: () => number;
}

/** A requested grant has no user yet. */
export interface Bound {
  readonly binding: Revocable["binding"];
  readonly user: UserIdentity | undefined;
}

/** Whether this caller may redeem the grant: a user only its own grants, an application only those of its client id. */
export function isBoundTo({ binding, user }: Bound, caller: GrantCaller): boolean {
  const sameClient =
    binding.kind === caller.kind && binding.tenantId === caller.tenantId && binding.clientId === caller.clientId;
  if (!sameClient) return false;
  return binding.kind === "application" || isSameUser(user, caller);
}

export async function openGrant(
  input: OpenInput,
  handle: SecretValue,
  caller: GrantCaller,
): Promise<Result<UnsealedGrant, GrantFailure>> {
  const parsed = parseHandle(handle.reveal());
  if (!parsed.ok) return parsed;
  const row = await readBound(input, parsed.value.id, caller);
  if (!row.ok) return row;
  return "grant" in row.value
    ? openStored(input, parsed.value, row.value)
    : pendingGrant(input, parsed.value, row.value);
}

/** What a revocation compares of a grant that is only requested. It was requested that long before its end. */
export function toRevocable({ expectedUser, expiresAtSeconds, ...requested }: RequestedGrant): Revocable {
  return {
    ...requested,
    user: expectedUser === undefined ? undefined : { objectId: expectedUser },
    allowedAtSeconds: expiresAtSeconds - REQUESTED_GRANT_SECONDS,
  };
}

/** Fails if an administrator has revoked it, or if that cannot be known. */
export async function checkLive(isLive: IsLive, grant: Revocable): Promise<Result<true, GrantFailure>> {
  const live = await isLive(grant);
  if (!live.ok) return live;
  return live.value ? succeed(true) : fail({ kind: "grant_revoked", grantId: grant.id });
}

/** Parts grants, or rows of grants, by whether an administrator has revoked them. Fails if that cannot be known. */
export async function partRevoked<T>(
  isLive: IsLive,
  items: readonly T[],
  grantOf: (item: T) => Revocable,
): Promise<Result<{ readonly live: readonly T[]; readonly revoked: readonly T[] }, GrantFailure>> {
  const live: T[] = [];
  const revoked: T[] = [];
  for (const item of items) {
    const known = await isLive(grantOf(item));
    if (!known.ok) return known;
    (known.value ? live : revoked).push(item);
  }
  return succeed({ live, revoked });
}

// ---------------------------------------------------------------------------------------------------------------

async function readBound(
  { store }: OpenInput,
  id: string,
  caller: GrantCaller,
): Promise<Result<StoredRow, GrantFailure>> {
  const read = await store.read(id);
  if (!read.ok) return read;
  if (read.value === undefined) return fail({ kind: "grant_unknown" });
  const bound = "grant" in read.value ? read.value.grant : { ...read.value.requested, user: undefined };
  return isBoundTo(bound, caller)
    ? succeed(read.value)
    : fail({ kind: "grant_not_bound", grantId: id, presented: bound });
}

async function openStored(
  { sealer, isLive, nowSeconds }: OpenInput,
  handle: GrantHandle,
  stored: StoredGrant,
): Promise<Result<UnsealedGrant, GrantFailure>> {
  const { grant, sealed } = stored;
  const refreshToken = await unsealGrant(sealer, handle, grant, sealed);
  const live = await checkLive(isLive, grant);
  if (!live.ok) return live;
  const { id: grantId, expiresAtSeconds } = grant;
  if (expiresAtSeconds <= nowSeconds()) {
    // The sealing key may no longer exist. Only the sealed record proves what the grant was.
    const sealedRecord = refreshToken.ok ? grant : undefined;
    return fail({ kind: "grant_expired", grantId, expiresAtSeconds, sealedRecord });
  }
  return refreshToken.ok
    ? succeed({ ...stored, handle: handle.secret, refreshToken: refreshToken.value })
    : refreshToken;
}

/** No person has allowed the grant. After its expiry it is as unknown as one that the reaper deleted. */
async function pendingGrant(
  { sealer, isLive, nowSeconds }: OpenInput,
  handle: GrantHandle,
  stored: StoredRequest,
): Promise<Result<never, GrantFailure>> {
  if (stored.requested.expiresAtSeconds <= nowSeconds()) return fail({ kind: "grant_unknown" });
  const requested = await unsealRequest(sealer, handle, stored);
  if (!requested.ok) return requested;
  const live = await checkLive(isLive, toRevocable(requested.value));
  return live.ok ? fail({ kind: "grant_pending", grantId: handle.id, requested: requested.value }) : live;
}
