/** The two columns of a grant that the service keeps alive: the sealed handle, and until when the timer leaves it alone. */
import type { Grant } from "../core/grant.ts";
import { type Result, succeed } from "../core/result.ts";
import type { SealFailure } from "../sealing/seal-failure.ts";
import type { Sealer } from "../sealing/sealer.ts";
import type { GrantHandle } from "./grant-handle.ts";
import { sealHandle } from "./sealed-handle.ts";

export interface KeepAliveColumns {
  readonly sealedHandle: string | undefined;
  readonly keepAliveAfterSeconds: number | undefined;
}

export const NOT_KEPT_ALIVE: KeepAliveColumns = { sealedHandle: undefined, keepAliveAfterSeconds: undefined };

export interface KeepAliveInput {
  readonly handleSealer: Sealer;
  readonly nowSeconds: () => number;
}

interface KeptAlive {
  readonly grant: Grant;
  readonly handle: GrantHandle;
  /** Of the policy entry. Undefined: both columns go. */
  readonly keepAliveDays: number | undefined;
  /** As stored before. The record of the grant is the same since, so the seal stays. */
  readonly sealedHandle?: string | undefined;
}

/** The columns after an answer of the person, or after a redemption, as the policy entry says now. */
export async function keepAliveColumns(
  { handleSealer, nowSeconds }: KeepAliveInput,
  { grant, handle, keepAliveDays, sealedHandle }: KeptAlive,
): Promise<Result<KeepAliveColumns, SealFailure>> {
  if (keepAliveDays === undefined) return succeed(NOT_KEPT_ALIVE);
  const sealed = sealedHandle === undefined ? await sealHandle(handleSealer, handle, grant) : succeed(sealedHandle);
  return sealed.ok ? succeed({ sealedHandle: sealed.value, keepAliveAfterSeconds: nowSeconds() }) : sealed;
}
