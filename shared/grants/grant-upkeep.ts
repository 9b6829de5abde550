/**
 * What the timers do with grants: find them, claim one for a redemption, open it with its sealed handle, and record that
 * its owner heard of its end. Each write is a compare-and-swap, so of two instances one acts.
 */

import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { AllowInput } from "./allow-grant.ts";
import { changeGrant } from "./grant-change.ts";
import type { FindGrants, FoundGrants, GrantChange } from "./grant-store.ts";
import type { GrantFailure, StoredGrant, UnsealedGrant } from "./grant-types.ts";
import { NOT_KEPT_ALIVE } from "./keep-alive-columns.ts";
import { checkLive, partRevoked } from "./open-grant.ts";
import { unsealGrant } from "./sealed-grant.ts";
import { unsealHandle } from "./sealed-handle.ts";

export interface GrantUpkeep {
  /** As the store's `find`, without the grants that an administrator has revoked. */
  find(request: FindGrants): Promise<Result<FoundGrants, GrantFailure>>;
  /** Reserves the grant until `untilSeconds` (since 1970). Undefined: another instance or a caller changed the row first. */
  claim(stored: StoredGrant, untilSeconds: number): Promise<Result<StoredGrant | undefined, GrantFailure>>;
  /** With its own sealed handle. `seal_broken`: the row was changed or is another one's. */
  open(stored: StoredGrant): Promise<Result<UnsealedGrant, GrantFailure>>;
  /** Undefined: the row has no handle that opens it. */
  handleOf(stored: StoredGrant): Promise<SecretValue | undefined>;
  /** Removes the sealed handle: its entry no longer has `keepAliveDays`. */
  stop(stored: StoredGrant): Promise<Result<unknown, GrantFailure>>;
  /** True: this call marked the grant as reported; the caller now publishes the event. */
  markExpiringReported(stored: StoredGrant): Promise<Result<boolean, GrantFailure>>;
}

export function createGrantUpkeep(input: AllowInput): GrantUpkeep {
  const { store, sealer, handleSealer, isLive, nowSeconds } = input;
  const open = async (stored: StoredGrant): Promise<Result<UnsealedGrant, GrantFailure>> => {
    const live = await checkLive(isLive, stored.grant);
    if (!live.ok) return live;
    const handle = await unsealHandle(handleSealer, stored);
    if (!handle.ok) return handle;
    if (handle.value === undefined) return fail({ kind: "seal_broken", problem: "row" });
    const refreshToken = await unsealGrant(sealer, handle.value, stored.grant, stored.sealed);
    return refreshToken.ok
      ? succeed({ ...stored, handle: handle.value.secret, refreshToken: refreshToken.value })
      : refreshToken;
  };
  return {
    find: (request) => findLive(input, request),
    async claim(stored, untilSeconds) {
      const claimed = await store.replace(stored, { keepAliveAfterSeconds: untilSeconds });
      if (!claimed.ok) return claimed;
      return succeed(typeof claimed.value === "string" ? undefined : claimed.value);
    },
    open,
    async handleOf(stored) {
      const opened = stored.sealedHandle === undefined ? undefined : await open(stored);
      return opened?.ok === true ? opened.value.handle : undefined;
    },
    stop: (stored) => changeGrant(store, stored, () => NOT_KEPT_ALIVE),
    async markExpiringReported(stored) {
      const end = stored.grant.expiresAtSeconds;
      // A person may allow the grant again at the same time: then it has a new end.
      const reported = await changeGrant(store, stored, ({ grant }): GrantChange | undefined =>
        grant.expiringReportedAtSeconds === undefined && grant.expiresAtSeconds === end
          ? { expiringReportedAtSeconds: nowSeconds() }
          : undefined,
      );
      return reported.ok ? succeed(reported.value !== undefined) : reported;
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

async function findLive(
  { store, isLive }: AllowInput,
  request: FindGrants,
): Promise<Result<FoundGrants, GrantFailure>> {
  const found = await store.find(request);
  if (!found.ok) return found;
  const parted = await partRevoked(isLive, found.value.grants, ({ grant }) => grant);
  return parted.ok ? succeed({ ...found.value, grants: parted.value.live }) : parted;
}
