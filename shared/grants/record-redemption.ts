/**
 * Records a redemption of a grant: stores the newest refresh token, even if several instances redeem at once, and
 * detects that the grant was revoked during the call to Entra, so that its token is not released.
 */
import type { Grant } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { Sealer } from "../sealing/sealer.ts";
import { parseHandle } from "./grant-handle.ts";
import type { GrantChange, GrantStore } from "./grant-store.ts";
import type { GrantFailure, StoredGrant, UnsealedGrant } from "./grant-types.ts";
import { sealGrant } from "./sealed-grant.ts";

/** Attempts to store a newer refresh token if only other columns of the row changed. */
const STORE_ATTEMPTS = 3;
/** Resolution of "last redeemed": one write a day is enough to see whether a grant is in use. */
const RECORD_AFTER_SECONDS = 24 * 3600;

export interface RedemptionInput {
  readonly store: GrantStore;
  readonly sealer: Sealer;
  readonly nowSeconds: () => number;
}

/** Replaces the stored refresh token with the newer one that Entra returned. */
export async function storeNewer(
  input: RedemptionInput,
  opened: UnsealedGrant,
  refreshToken: SecretValue,
): Promise<Result<Grant, GrantFailure>> {
  const parsed = parseHandle(opened.handle.reveal());
  if (!parsed.ok) return parsed;
  const sealed = await sealGrant(input.sealer, parsed.value, opened.grant, refreshToken);
  if (!sealed.ok) return sealed;
  const change = { sealed: sealed.value, lastRedeemedAtSeconds: input.nowSeconds() };
  return compareAndSwap(input, { opened, change, stored: opened, attemptsLeft: STORE_ATTEMPTS });
}

/** Records a redemption without a newer refresh token, at most once a day. */
export async function recordRedemption(
  input: RedemptionInput,
  opened: UnsealedGrant,
): Promise<Result<Grant, GrantFailure>> {
  const { grant, sealed } = opened;
  const last = grant.lastRedeemedAtSeconds;
  if (last !== undefined && input.nowSeconds() - last < RECORD_AFTER_SECONDS) return confirmExists(input, grant);
  const replaced = await input.store.replace(opened, { sealed, lastRedeemedAtSeconds: input.nowSeconds() });
  if (!replaced.ok) return replaced;
  // Another instance recorded a redemption at the same time, or the grant was undone: its row is a requested grant again.
  if (replaced.value === "changed") return confirmExists(input, grant);
  return replaced.value === "gone" ? fail({ kind: "grant_unknown" }) : succeed(replaced.value.grant);
}

/**
 * Fails if the grant was revoked during the call to Entra, or if the store does not say whether it was, so that its
 * token is not released.
 */
export async function confirmExists(
  input: Pick<RedemptionInput, "store">,
  { id }: Grant,
): Promise<Result<Grant, GrantFailure>> {
  const stored = await readExisting(input, id);
  return stored.ok ? succeed(stored.value.grant) : stored;
}

async function readExisting(
  { store }: Pick<RedemptionInput, "store">,
  id: string,
): Promise<Result<StoredGrant, GrantFailure>> {
  const read = await store.read(id);
  if (!read.ok) return read;
  // A requested grant under this id means that the grant was undone.
  return read.value === undefined || !("grant" in read.value) ? fail({ kind: "grant_unknown" }) : succeed(read.value);
}

/** Another instance may record it, or a redemption, at the same time: the row it wrote replaces the one that was opened. */
export async function recordVerified(
  input: RedemptionInput,
  opened: UnsealedGrant,
): Promise<Result<UnsealedGrant, GrantFailure>> {
  const { grant, sealed, handle, refreshToken } = opened;
  const { lastRedeemedAtSeconds } = grant;
  const change = { sealed, lastRedeemedAtSeconds, verifiedAtSeconds: input.nowSeconds() };
  const replaced = await input.store.replace(opened, change);
  if (!replaced.ok) return replaced;
  if (replaced.value === "gone") return fail({ kind: "grant_unknown" });
  if (replaced.value !== "changed") return succeed({ ...replaced.value, handle, refreshToken });
  const again = await readExisting(input, grant.id);
  if (!again.ok) return again;
  return again.value.grant.verifiedAtSeconds === undefined
    ? fail({ kind: "grant_conflict", grantId: grant.id })
    : succeed({ ...again.value, handle, refreshToken });
}

// ---------------------------------------------------------------------------------------------------------------

interface Swap {
  readonly opened: UnsealedGrant;
  readonly change: GrantChange;
  /** The row as last read. */
  readonly stored: StoredGrant;
  readonly attemptsLeft: number;
}

/**
 * If another instance stored a refresh token in the meantime, that one stays: both work (Entra does not revoke the old
 * one, E-91), and overwriting it would gain nothing. The write is repeated only if the sealed part is unchanged,
 * because then another instance only recorded its redemption.
 */
async function compareAndSwap(
  input: RedemptionInput,
  { opened, change, stored, attemptsLeft }: Swap,
): Promise<Result<Grant, GrantFailure>> {
  const replaced = await input.store.replace(stored, change);
  if (!replaced.ok) return replaced;
  if (replaced.value === "gone") return fail({ kind: "grant_unknown" });
  if (replaced.value !== "changed") return succeed(replaced.value.grant);

  const again = await readExisting(input, opened.grant.id);
  if (!again.ok) return again;
  if (again.value.sealed !== opened.sealed) return succeed(again.value.grant);
  if (attemptsLeft <= 1) return fail({ kind: "grant_conflict", grantId: opened.grant.id });
  return compareAndSwap(input, { opened, change, stored: again.value, attemptsLeft: attemptsLeft - 1 });
}
