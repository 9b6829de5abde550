/** What the stories about signing in need of the service. */
import type { EntraGuards } from "../ask-entra.ts";
import type { Authenticator } from "../authenticate.ts";
import type { Boxes } from "../authorize/boxes.ts";
import type { BoxRefused } from "../authorize/sealed-box.ts";
import type { Failure, SignInRefusal } from "../failure.ts";
import type { GrantKeeper } from "../keep-grant.ts";
import type { Policy } from "../policy/rules.ts";
import type { Registration } from "../registration.ts";
import { fail } from "../result.ts";

export interface SignInParts {
  /** Issuer of our codes, and the beginning of every link. */
  readonly serviceUrl: string;
  /** Resolved on first use: JWE is a lazy part of the bundle. */
  boxes(): Promise<Boxes>;
}

export interface SignInRooms extends Authenticator, EntraGuards {
  readonly tenantId: string;
  readonly policy: Policy;
  readonly allowGuests: boolean;
  readonly delegated: Registration;
  readonly grants: GrantKeeper;
  readonly signIn: SignInParts;
}

/** A box that does not open, in the words of whoever wanted it open. */
export function boxFailure(
  failure: Failure | BoxRefused,
  reasons: { readonly broken: SignInRefusal; readonly expired: SignInRefusal },
): { readonly ok: false; readonly failure: Failure } {
  switch (failure.kind) {
    case "box_broken":
      return refuseSignIn(reasons.broken);
    case "box_expired":
      return refuseSignIn(reasons.expired);
    default:
      return fail(failure);
  }
}

export function refuseSignIn(reason: SignInRefusal): { readonly ok: false; readonly failure: Failure } {
  return fail({ kind: "sign_in_refused", reason });
}
