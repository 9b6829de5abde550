/**
 * Records a redemption of a grant: stores the newest refresh token, even if several instances redeem at once, and
 * detects that the grant was revoked during the call to Entra, so that its token is not released. A redemption that Entra
 * refused is recorded, and not again while its code stays the same.
 */
import { type Grant, keepAliveTime } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { Sealer } from "../sealing/sealer.ts";
import { changeGrant, readExisting } from "./grant-change.ts";
import { parseHandle } from "./grant-handle.ts";
import type { GrantChange, GrantStore } from "./grant-store.ts";
import type { GrantFailure, UnsealedGrant } from "./grant-types.ts";
import { type KeepAliveColumns, keepAliveColumns } from "./keep-alive-columns.ts";
import { sealGrant } from "./sealed-grant.ts";

/** Resolution of "last redeemed": one write a day is enough to see whether a grant is in use. */
const RECORD_AFTER_SECONDS = 24 * 3600;

export interface RedemptionInput {
  readonly store: GrantStore;
  readonly sealer: Sealer;
  /** For handles of grants that are kept alive. */
  readonly handleSealer: Sealer;
  readonly nowSeconds: () => number;
}

export interface Redemption {
  /** `timer`: the service kept the grant alive; its caller did not use it. */
  readonly by: "caller" | "timer";
  /** Of the policy entry. */
  readonly keepAliveDays: number | undefined;
}

/** Replaces the stored refresh token with the newer one that Entra returned. */
export async function storeNewer(
  input: RedemptionInput,
  opened: UnsealedGrant,
  refreshToken: SecretValue,
  redemption: Redemption,
): Promise<Result<Grant, GrantFailure>> {
  const handle = parseHandle(opened.handle.reveal());
  if (!handle.ok) return handle;
  const sealed = await sealGrant(input.sealer, handle.value, opened.grant, refreshToken);
  if (!sealed.ok) return sealed;
  const columns = await columnsAfter(input, opened, redemption);
  if (!columns.ok) return columns;
  const now = input.nowSeconds();
  const change = { sealed: sealed.value, lastRenewedAtSeconds: now, ...workedAt(now, redemption), ...columns.value };
  // If another instance stored a refresh token in the meantime, that one stays: both work (Entra does not revoke the old
  // one, E-91), and overwriting it would gain nothing.
  const changed = await changeGrant(input.store, opened, (latest) =>
    latest.sealed === opened.sealed ? change : undefined,
  );
  return changed.ok ? succeed(changed.value?.grant ?? opened.grant) : changed;
}

/**
 * Records a redemption without a newer refresh token: at most once a day, unless it shows that the grant works again or
 * the policy entry has changed.
 */
export async function recordRedemption(
  input: RedemptionInput,
  opened: UnsealedGrant,
  redemption: Redemption,
): Promise<Result<Grant, GrantFailure>> {
  const { grant } = opened;
  const now = input.nowSeconds();
  if (!isWorthWriting(opened, redemption, now)) return confirmExists(input, grant);
  const columns = await columnsAfter(input, opened, redemption);
  if (!columns.ok) return columns;
  const change = { ...workedAt(now, redemption), ...columns.value, ...nextPeriod(grant.id, now, redemption) };
  const replaced = await input.store.replace(opened, change);
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
  { store }: Pick<RedemptionInput, "store">,
  { id }: Grant,
): Promise<Result<Grant, GrantFailure>> {
  const stored = await readExisting(store, id);
  return stored.ok ? succeed(stored.value.grant) : stored;
}

/** Another instance may record it, or a redemption, at the same time: the row it wrote replaces the one that was opened. */
export async function recordVerified(
  { store, nowSeconds }: Pick<RedemptionInput, "store" | "nowSeconds">,
  opened: UnsealedGrant,
): Promise<Result<UnsealedGrant, GrantFailure>> {
  const { handle, refreshToken } = opened;
  const changed = await changeGrant(store, opened, ({ grant }) =>
    grant.verifiedAtSeconds === undefined ? { verifiedAtSeconds: nowSeconds() } : undefined,
  );
  if (!changed.ok) return changed;
  if (changed.value !== undefined) return succeed({ ...changed.value, handle, refreshToken });
  const again = await readExisting(store, opened.grant.id);
  return again.ok ? succeed({ ...again.value, handle, refreshToken }) : again;
}

/** A redemption that Entra, or a check of its answer, refused. */
export interface RefusedRedemption {
  /** The code of this service. */
  readonly code: string;
  /** Entra refused the refresh token for good. */
  readonly isDead: boolean;
  /** The timer leaves the grant alone until then. Not set: as before. */
  readonly keepAliveAfterSeconds?: number;
}

/**
 * Records the refusal, unless the row says the same already. Returns whether this call recorded the death first: Entra
 * refused the refresh token for good, and no other call has recorded that since a person allowed the grant. A refresh token
 * that another redemption stored in the meantime, or that a person gave by allowing the grant again, is not the one that was
 * refused.
 */
export async function recordRefusedRedemption(
  { store, nowSeconds }: Pick<RedemptionInput, "store" | "nowSeconds">,
  opened: UnsealedGrant,
  refusal: RefusedRedemption,
): Promise<Result<boolean, GrantFailure>> {
  let isFirst = false;
  const changed = await changeGrant(store, opened, ({ grant, sealed }): GrantChange | undefined => {
    isFirst = refusal.isDead && grant.deadSinceSeconds === undefined;
    return sealed === opened.sealed ? refusalChange(grant, refusal, nowSeconds()) : undefined;
  });
  return changed.ok ? succeed(isFirst && changed.value !== undefined) : changed;
}

// ---------------------------------------------------------------------------------------------------------------

/** The timer tries again only after a whole period, although Entra gave no newer refresh token. */
function nextPeriod(id: string, now: number, { by, keepAliveDays }: Redemption): GrantChange {
  const isTimers = by === "timer" && keepAliveDays !== undefined;
  return isTimers ? { keepAliveAfterSeconds: keepAliveTime(id, now, keepAliveDays) } : {};
}

/** Undefined: the row says it already. */
function refusalChange(
  { lastError, deadSinceSeconds }: Grant,
  { code, isDead, keepAliveAfterSeconds }: RefusedRedemption,
  now: number,
): GrantChange | undefined {
  const dies = isDead && deadSinceSeconds === undefined ? { deadSinceSeconds: now } : {};
  const error = lastError?.code === code ? {} : { lastError: { code, atSeconds: now } };
  const timer = keepAliveAfterSeconds === undefined ? {} : { keepAliveAfterSeconds };
  const change = { ...error, ...dies, ...timer };
  return Object.keys(change).length === 0 ? undefined : change;
}

function workedAt(nowSeconds: number, { by }: Redemption): GrantChange {
  const used = by === "caller" ? { lastRedeemedAtSeconds: nowSeconds } : {};
  return { ...used, lastError: undefined, deadSinceSeconds: undefined };
}

function isWorthWriting(
  { grant, sealedHandle }: UnsealedGrant,
  { by, keepAliveDays }: Redemption,
  now: number,
): boolean {
  const last = grant.lastRedeemedAtSeconds;
  const isRecent = last !== undefined && now - last < RECORD_AFTER_SECONDS;
  const isKeptAlive = sealedHandle !== undefined;
  return by === "timer" || !isRecent || grant.lastError !== undefined || isKeptAlive !== (keepAliveDays !== undefined);
}

async function columnsAfter(
  input: RedemptionInput,
  { grant, sealedHandle, handle: text }: UnsealedGrant,
  { keepAliveDays }: Redemption,
): Promise<Result<KeepAliveColumns, GrantFailure>> {
  const handle = parseHandle(text.reveal());
  return handle.ok ? keepAliveColumns(input, { grant, sealedHandle, handle: handle.value, keepAliveDays }) : handle;
}
