/** What the stories about signing in need of the service. */

import type { AuthenticationContext } from "../caller/authenticate.ts";
import type { Failure, SignInRefusal } from "../core/failure.ts";
import { fail } from "../core/result.ts";
import type { Registration } from "../entra/registration.ts";
import type { OfflineAccess } from "../offline-access/offline-access.ts";
import type { Policy } from "../policy/rules.ts";
import type { SealedState } from "../sealed-state/sealed-state.ts";
import type { SealedStateFailure } from "../sealed-state/state-sealer.ts";
import type { ThrottlingContext } from "../throttling/throttled-call.ts";

export interface SignInState {
  /** Issuer of our codes, and the beginning of every link. */
  readonly serviceUrl: string;
  /** Resolved on first use: JWE is a lazy part of the bundle. */
  sealedState(): Promise<SealedState>;
}

export interface SignInContext extends AuthenticationContext, ThrottlingContext {
  readonly tenantId: string;
  readonly policy: Policy;
  readonly allowGuests: boolean;
  readonly delegated: Registration;
  readonly grants: OfflineAccess;
  readonly signIn: SignInState;
}

/** A box that does not open, in the words of whoever wanted it open. */
export function fromStateFailure(
  failure: Failure | SealedStateFailure,
  reasons: { readonly invalid: SignInRefusal; readonly expired: SignInRefusal },
): { readonly ok: false; readonly failure: Failure } {
  switch (failure.kind) {
    case "state_invalid":
      return refuseSignIn(reasons.invalid);
    case "state_expired":
      return refuseSignIn(reasons.expired);
    default:
      return fail(failure);
  }
}

export function refuseSignIn(reason: SignInRefusal): { readonly ok: false; readonly failure: Failure } {
  return fail({ kind: "sign_in_refused", reason });
}
