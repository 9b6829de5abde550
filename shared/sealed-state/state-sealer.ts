/**
 * Seals typed content that leaves the service in a cookie, a link, a code or a reference, and unseals it when it
 * returns. The seal keeps the content confidential and unchanged; expired state is refused. Each purpose has its own
 * key (`sealing/sealer.ts`), so state of one purpose cannot be unsealed as another. Only this service writes the
 * content; a change of its shape needs a new purpose.
 */

import type { Failure } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { unavailableDependency } from "../core/unavailable-dependency.ts";
import type { SealFailure } from "../sealing/seal-failure.ts";
import type { Sealer } from "../sealing/sealer.ts";

/** Not sealed by this service for this purpose, or expired: then with what it was. */
export type SealedStateFailure<T = unknown> =
  | { readonly kind: "state_invalid" }
  | { readonly kind: "state_expired"; readonly content: T };

export interface StateSealer<T> {
  /** `lifetimeSeconds`: instead of that of the purpose. */
  seal(content: T, lifetimeSeconds?: number): Promise<Result<string, Failure | SealedStateFailure<T>>>;
  unseal(sealed: string): Promise<Result<T, Failure | SealedStateFailure<T>>>;
}

export interface StateSealerInput {
  readonly sealer: Sealer;
  readonly lifetimeSeconds: number;
  readonly nowSeconds: () => number;
}

export function createStateSealer<T>({ sealer, lifetimeSeconds, nowSeconds }: StateSealerInput): StateSealer<T> {
  return {
    async seal(content, ownLifetimeSeconds = lifetimeSeconds) {
      const sealed = await sealer.seal(JSON.stringify({ exp: nowSeconds() + ownLifetimeSeconds, content }));
      return sealed.ok ? sealed : fail(fromSealFailure(sealed.failure));
    },
    async unseal(sealed) {
      const unsealed = await sealer.unseal(sealed);
      if (!unsealed.ok) return fail(fromSealFailure(unsealed.failure));
      const { exp, content } = JSON.parse(unsealed.value) as { exp: number; content: T };
      return exp > nowSeconds() ? succeed(content) : fail({ kind: "state_expired", content });
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

function fromSealFailure(failure: SealFailure): Failure | Extract<SealedStateFailure, { kind: "state_invalid" }> {
  switch (failure.kind) {
    case "sealing_key_unavailable":
      return unavailableDependency(failure.reason);
    case "sealing_key_invalid":
      return { kind: "misconfigured", code: "sealing_key_invalid" };
    // A browser chose the key id. Strangers invent ids, and that is not a failure of the vault.
    case "too_many_unknown_keys":
    case "seal_too_large":
    case "seal_broken":
      return { kind: "state_invalid" };
  }
}
