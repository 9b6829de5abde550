/**
 * `maxGrantsPerUser`: how many grants one caller has of one person. At the limit, a new one takes the place of the oldest
 * that was never redeemed. If all are in use, there is no room. Parallel requests can exceed the limit by a few.
 */
import type { Grant } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { GrantStore } from "./grant-store.ts";
import type { GrantFailure } from "./grant-types.ts";

export interface RoomInput {
  readonly store: GrantStore;
  readonly nowSeconds: () => number;
}

export interface NewGrant extends Pick<Grant, "binding" | "user"> {
  readonly maxGrantsPerUser: number;
}

/** The grant that ends when the new one exists. Undefined: none has to. */
export async function roomForGrant(
  { store, nowSeconds }: RoomInput,
  { binding, user, maxGrantsPerUser }: NewGrant,
): Promise<Result<Grant | undefined, GrantFailure>> {
  const found = await store.listOfUser({ binding, user, afterSeconds: nowSeconds(), atLeast: maxGrantsPerUser });
  if (!found.ok) return found;
  const grants = found.value;
  if (grants.length < maxGrantsPerUser) return succeed(undefined);
  const oldest = grants.findLast(({ lastRedeemedAtSeconds }) => lastRedeemedAtSeconds === undefined);
  return oldest === undefined ? fail({ kind: "grant_limit" }) : succeed(oldest);
}

/** After the new grant is stored. If it fails, the caller has one grant too many until the next one. */
export async function endReplaced({ store }: Pick<RoomInput, "store">, replaced: Grant | undefined): Promise<void> {
  if (replaced !== undefined) await store.delete(replaced);
}
