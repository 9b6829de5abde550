/**
 * What a refusal of Entra says about the tokens that Entra issued before. Only definite refusals count: a claims
 * challenge, a throttled user or an outage of Entra says nothing about them. Pure.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
import type { Failure } from "../core/failure.ts";
import type { MarkKind } from "../core/revocation.ts";

/** Whom or what the request was about. */
export interface RefusedRequest {
  /** `oid`. Undefined: the application itself. */
  readonly person: string | undefined;
  /** Client id. */
  readonly registration: string;
  readonly api: string;
  readonly grantId: string | undefined;
}

export interface Refused {
  readonly kind: MarkKind;
  readonly key: string;
}

/**
 * The account is disabled (50057), deleted (50034, 50020) or not assigned any more (50105), or its sessions were revoked or its password
 * changed (50173).
 */
const PERSON: readonly number[] = [50057, 50034, 50020, 50105, 50173];
/** The service principal of the registration is disabled. */
const REGISTRATION: readonly number[] = [7000112];

/** Undefined: nothing is known about earlier tokens. */
export function refusedByEntra(failure: Failure, request: RefusedRequest): Refused | undefined {
  if (failure.kind !== "entra_refused") return undefined;
  const { codes } = failure.evidence;
  const { registration, grantId } = request;
  const person = request.person?.toLowerCase();
  if (codes.some((code) => REGISTRATION.includes(code))) return { kind: "registration", key: registration };
  if (person !== undefined && codes.some((code) => PERSON.includes(code))) return { kind: "person", key: person };
  if (failure.verdict === "grant_dead" && grantId !== undefined) return { kind: "grant", key: grantId };
  if (failure.verdict === "consent_required" && person !== undefined) {
    return { kind: "consent", key: consentKey({ person, registration, api: request.api }) };
  }
  return undefined;
}

/** A person's consent to a registration for one API. */
export function consentKey({ person, registration, api }: Record<"person" | "registration" | "api", string>): string {
  return `${person} ${registration} ${api}`;
}
