/**
 * What the row of a grant says about a redemption that failed: the code that its caller got. The row is not written again
 * while the code stays the same.
 */
import type { Failure } from "../core/failure.ts";
import type { UnsealedGrant } from "../grants/grant-types.ts";
import type { Grants } from "../grants/grants.ts";
import type { RefusedRedemption } from "../grants/record-redemption.ts";

export interface RefusalContext {
  /** Undefined: no grant store is configured. */
  readonly grants: (() => Promise<Grants>) | undefined;
  /** The stable code with which callers get this failure. */
  readonly codeOf: (failure: Failure) => string;
}

/**
 * True: Entra refused the refresh token for good, and this call recorded it first. False: nothing new, nothing about the
 * grant, or not recorded. It never fails.
 */
export async function recordRefusal(
  { grants, codeOf }: RefusalContext,
  grant: UnsealedGrant,
  failure: Failure,
): Promise<boolean> {
  const refusal = toRefusal(failure, codeOf);
  if (grants === undefined || refusal === undefined) return false;
  try {
    const recorded = await (await grants()).recordRefusedRedemption(grant, refusal);
    return recorded.ok && recorded.value;
  } catch {
    return false;
  }
}

/**
 * Undefined: the failure is not about the grant. Entra or the service is busy, Entra refused the service's own credential, or
 * the caller's request was wrong.
 */
export function toRefusal(failure: Failure, codeOf: RefusalContext["codeOf"]): RefusedRedemption | undefined {
  if (!isAboutGrant(failure)) return undefined;
  return { code: codeOf(failure), isDead: failure.kind === "entra_refused" && failure.verdict === "grant_dead" };
}

// ---------------------------------------------------------------------------------------------------------------

function isAboutGrant(failure: Failure): boolean {
  switch (failure.kind) {
    case "entra_refused":
      return failure.verdict !== "credential_refused";
    case "scope_surplus":
      return true;
    case "grant_refused":
      return failure.reason === "user_changed";
    case "sign_in_refused":
      return failure.reason === "guest";
    default:
      return false;
  }
}
