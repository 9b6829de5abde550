/** What the files of this folder need of the service, and the failures of sealed state. */

import type { AuthenticationContext } from "../caller/authenticate.ts";
import type { Failure, SignInRefusal } from "../core/failure.ts";
import { fail } from "../core/result.ts";
import type { Registrations } from "../entra/registration.ts";
import type { OfflineAccess } from "../offline-access/offline-access.ts";
import type { Policy } from "../policy/rules.ts";
import type { SealedState } from "../sealed-state/sealed-state.ts";
import type { SealedStateFailure } from "../sealed-state/state-sealer.ts";
import type { ThrottlingContext } from "../throttling/throttled-call.ts";

export interface SignInState {
  /** The issuer of the service's codes, and the start of every link. */
  readonly serviceUrl: string;
  /** The name of the organisation on the pages. Undefined: the pages have none. */
  readonly tenantDisplayName: string | undefined;
  /** Resolved on first use: JWE is a lazy part of the bundle. */
  sealedState(): Promise<SealedState>;
}

export interface SignInContext extends AuthenticationContext, ThrottlingContext {
  readonly tenantId: string;
  readonly policy: Policy;
  readonly allowGuests: boolean;
  readonly registrations: Registrations;
  readonly grants: OfflineAccess;
  readonly signIn: SignInState;
}

/** Sealed state that is invalid or expired, as the sign-in refusal that fits its purpose. */
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
