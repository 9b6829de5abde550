/**
 * `maxGrantsPerUser`: how many grants one caller has of one person. At the limit, a new one takes the place of the oldest
 * that was never redeemed. If all are in use, there is no room. Requests at the same time do not see each other's grants
 * at first, so each counts again after it has stored its own. All use the same order, so they end the same ones.
 */
import type { Grant } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { GrantStore } from "./grant-store.ts";
import type { GrantFailure } from "./grant-types.ts";

export const NO_LIMIT = Number.POSITIVE_INFINITY;

export interface RoomInput {
  readonly store: GrantStore;
  readonly nowSeconds: () => number;
}

export interface NewGrant extends Pick<Grant, "binding" | "user"> {
  /** Of the policy entry, or `NO_LIMIT`. */
  readonly maxGrantsPerUser: number;
}

/** The grant to end once the new one exists. Undefined: there is room. */
export async function grantToReplace(
  { store, nowSeconds }: RoomInput,
  { binding, user, maxGrantsPerUser }: NewGrant,
): Promise<Result<Grant | undefined, GrantFailure>> {
  if (maxGrantsPerUser === NO_LIMIT) return succeed(undefined);
  const found = await store.listOfUser({ binding, user, afterSeconds: nowSeconds(), atLeast: maxGrantsPerUser });
  if (!found.ok) return found;
  const grants = found.value;
  if (grants.length < maxGrantsPerUser) return succeed(undefined);
  const oldest = grants.findLast(isUnused);
  return oldest === undefined ? fail({ kind: "grant_limit" }) : succeed(oldest);
}

export interface StoredNewGrant extends NewGrant {
  /** Of the new grant, which is stored. */
  readonly id: string;
  readonly replaced: Grant | undefined;
}

/**
 * Ends the grants that the new one replaces, and returns those that this call ended. `grant_limit`: the new one is itself
 * above the limit, and its request has to end it. If the store does not answer, the next new grant makes up for it.
 */
export async function endReplaced(
  { store, nowSeconds }: RoomInput,
  { id, replaced, binding, user, maxGrantsPerUser }: StoredNewGrant,
): Promise<Result<readonly Grant[], GrantFailure>> {
  if (maxGrantsPerUser === NO_LIMIT) return succeed([]);
  const ended: Grant[] = [];
  const end = async (grant: Grant) => {
    const deleted = await store.delete(grant);
    if (deleted.ok && deleted.value) ended.push(grant);
  };
  if (replaced !== undefined) await end(replaced);
  const atLeast = maxGrantsPerUser + 1;
  const found = await store.listOfUser({ binding, user, afterSeconds: nowSeconds(), atLeast });
  if (!found.ok || found.value.length < atLeast) return succeed(ended);
  const surplus = found.value.filter(isUnused).slice(-(found.value.length - maxGrantsPerUser));
  for (const grant of surplus) if (grant.id !== id) await end(grant);
  return surplus.some((grant) => grant.id === id) ? fail({ kind: "grant_limit" }) : succeed(ended);
}

// ---------------------------------------------------------------------------------------------------------------

function isUnused({ lastRedeemedAtSeconds }: Grant): boolean {
  return lastRedeemedAtSeconds === undefined;
}
