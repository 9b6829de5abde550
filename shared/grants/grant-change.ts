/** A change of a stored grant, and how a writer repeats it when another one was faster. Pure but for the store. */
import { fail, type Result, succeed } from "../core/result.ts";
import type { GrantChange, GrantStore } from "./grant-store.ts";
import type { GrantContent, GrantFailure, StoredGrant } from "./grant-types.ts";

/** Attempts if other writers change the row, for example two redemptions that are recorded at the same time. */
const ATTEMPTS = 3;

/** The content after the change. */
export function changedContent({ grant, sealed, sealedHandle }: GrantContent, change: GrantChange): GrantContent {
  const { sealed: newSealed, sealedHandle: newHandle, ...state } = { sealed, sealedHandle, ...change };
  return { grant: { ...grant, ...state }, sealed: newSealed, sealedHandle: newHandle };
}

/**
 * Changes a grant as long as `change` says how. If another writer was faster, `change` decides again about what that one
 * wrote. Undefined: nothing is to be changed (any more). Fails with `grant_unknown` if the grant was revoked.
 */
export async function changeGrant(
  store: GrantStore,
  stored: StoredGrant,
  change: (latest: StoredGrant) => GrantChange | undefined,
  attemptsLeft = ATTEMPTS,
): Promise<Result<StoredGrant | undefined, GrantFailure>> {
  const wanted = change(stored);
  if (wanted === undefined) return succeed(undefined);
  const replaced = await store.replace(stored, wanted);
  if (!replaced.ok) return replaced;
  if (replaced.value === "gone") return fail({ kind: "grant_unknown" });
  if (replaced.value !== "changed") return succeed(replaced.value);
  if (attemptsLeft <= 1) return fail({ kind: "grant_conflict", grantId: stored.grant.id });
  const latest = await readExisting(store, stored.grant.id);
  return latest.ok ? changeGrant(store, latest.value, change, attemptsLeft - 1) : latest;
}

/** The grant under this id. A requested grant means that the grant was undone. */
export async function readExisting(store: GrantStore, id: string): Promise<Result<StoredGrant, GrantFailure>> {
  const read = await store.read(id);
  if (!read.ok) return read;
  return read.value === undefined || !("grant" in read.value) ? fail({ kind: "grant_unknown" }) : succeed(read.value);
}
