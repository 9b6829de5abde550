/**
 * A grant after a redemption: the newest refresh token is kept, whichever instance got it; and a grant that was revoked
 * while Entra was asked is noticed, so that its token does not leave.
 */
import type { Grant } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { Sealer } from "../sealing/sealer.ts";
import type { GrantFailure, StoredGrant, UnsealedGrant } from "./grant.ts";
import type { GrantChange, GrantStore } from "./grant-store.ts";
import { parseHandle } from "./handle.ts";
import { sealGrant } from "./sealed-grant.ts";

/** Times a rotation is written again because only the row's other columns had changed. */
const ROTATION_TRIES = 3;
/** Resolution of "last redeemed": one write a day is enough to see whether a grant is in use. */
const TOUCH_AFTER_SECONDS = 24 * 3600;

export interface RenewalInput {
  readonly store: GrantStore;
  readonly sealer: Sealer;
  readonly nowSeconds: () => number;
}

/** Entra gave a newer refresh token: it replaces the one that is kept. */
export async function rotated(
  input: RenewalInput,
  opened: UnsealedGrant,
  refreshToken: SecretValue,
): Promise<Result<Grant, GrantFailure>> {
  const parsed = parseHandle(opened.handle.reveal());
  if (!parsed.ok) return parsed;
  const sealed = await sealGrant(input.sealer, parsed.value, opened.grant, refreshToken);
  if (!sealed.ok) return sealed;
  const change = { sealed: sealed.value, lastRedeemedAtSeconds: input.nowSeconds() };
  return swap(input, { opened, change, stored: opened, triesLeft: ROTATION_TRIES });
}

interface Swap {
  readonly opened: UnsealedGrant;
  readonly change: GrantChange;
  /** The row as last read. */
  readonly stored: StoredGrant;
  readonly triesLeft: number;
}

/**
 * Compare-and-swap. If another instance stored a refresh token since we read, that one stays: both work (Entra does not
 * revoke the old one, E-91), and the row must not go back and forth. Only if the sealed part is still the one that we
 * read (somebody touched the row) do we write again.
 */
async function swap(
  input: RenewalInput,
  { opened, change, stored, triesLeft }: Swap,
): Promise<Result<Grant, GrantFailure>> {
  const replaced = await input.store.replace(stored, change);
  if (!replaced.ok) return replaced;
  if (replaced.value === "gone") return fail({ kind: "grant_unknown" });
  if (replaced.value !== "changed") return succeed(replaced.value.grant);

  const again = await readExisting(input, opened.grant.id);
  if (!again.ok) return again;
  if (again.value.sealed !== opened.sealed) return succeed(again.value.grant);
  if (triesLeft <= 1) return fail({ kind: "grant_conflict", grantId: opened.grant.id });
  return swap(input, { opened, change, stored: again.value, triesLeft: triesLeft - 1 });
}

/** A redemption without a newer refresh token: notes the day. */
export async function touch(input: RenewalInput, opened: UnsealedGrant): Promise<Result<Grant, GrantFailure>> {
  const { grant, sealed } = opened;
  const last = grant.lastRedeemedAtSeconds;
  if (last !== undefined && input.nowSeconds() - last < TOUCH_AFTER_SECONDS) return stillThere(input, grant);
  const replaced = await input.store.replace(opened, { sealed, lastRedeemedAtSeconds: input.nowSeconds() });
  if (!replaced.ok) return replaced;
  // Somebody else redeemed it at the same moment and has written the day; or it was revoked, and a mark is in its place.
  if (replaced.value === "changed") return stillThere(input, grant);
  return replaced.value === "gone" ? fail({ kind: "grant_unknown" }) : succeed(replaced.value.grant);
}

/** Revoked while Entra was asked? Then its token does not leave. */
async function stillThere(input: RenewalInput, { id }: Grant): Promise<Result<Grant, GrantFailure>> {
  const stored = await readExisting(input, id);
  return stored.ok ? succeed(stored.value.grant) : stored;
}

export async function readExisting(
  { store }: Pick<RenewalInput, "store">,
  id: string,
): Promise<Result<StoredGrant, GrantFailure>> {
  const read = await store.read(id);
  if (!read.ok) return read;
  return read.value === undefined ? fail({ kind: "grant_unknown" }) : succeed(read.value);
}
