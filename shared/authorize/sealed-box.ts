/**
 * A sealed box: typed content that leaves the service (a cookie, a link, a code, a reference) and comes back unread,
 * unchanged and in time. Each kind of box has its own key (`grants/seal.ts`), so none opens as another. Content is our
 * own writing under an authenticated seal; whoever changes its shape gives the box a new purpose.
 */
import type { Failure } from "../failure.ts";
import type { SealFailure } from "../grants/grant.ts";
import type { Sealer } from "../grants/seal.ts";
import { fail, type Result, succeed } from "../result.ts";

/** Not a box of this kind and of ours; or one that came too late. */
export interface BoxRefused {
  readonly kind: "box_broken" | "box_expired";
}

export interface SealedBox<T> {
  seal(content: T): Promise<Result<string, Failure | BoxRefused>>;
  open(sealed: string): Promise<Result<T, Failure | BoxRefused>>;
}

export interface SealedBoxInput {
  readonly sealer: Sealer;
  readonly lifetimeSeconds: number;
  readonly nowSeconds: () => number;
}

export function createSealedBox<T>({ sealer, lifetimeSeconds, nowSeconds }: SealedBoxInput): SealedBox<T> {
  return {
    async seal(content) {
      const sealed = await sealer.seal(JSON.stringify({ exp: nowSeconds() + lifetimeSeconds, content }));
      return sealed.ok ? sealed : fail(toFailure(sealed.failure));
    },
    async open(sealed) {
      const opened = await sealer.open(sealed);
      if (!opened.ok) {
        return fail(toFailure(opened.failure));
      }
      const { exp, content } = JSON.parse(opened.value) as { exp: number; content: T };
      return exp > nowSeconds() ? succeed(content) : fail({ kind: "box_expired" });
    },
  };
}

function toFailure(failure: SealFailure): Failure | BoxRefused {
  switch (failure.kind) {
    case "sealing_key_unavailable":
      return { kind: "dependency_failed", dependency: "key_vault", problem: "unavailable" };
    case "sealing_key_invalid":
      return { kind: "misconfigured", code: "sealing_key_invalid" };
    case "seal_too_large":
    case "seal_broken":
      return { kind: "box_broken" };
  }
}
