/**
 * Entra's error numbers (AADSTS) and what each means for us. Classed by who chose the value: what we checked or
 * configured is our fault, never the caller's. Numbers are for diagnosis and for the rows below; whatever is not listed
 * is judged by `error`, `suberror` and `claims`, as Microsoft asks.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
import type { EntraVerdict } from "../core/failure.ts";

/** `throttled` and `unavailable` are no verdicts on the request: the same one may succeed later. */
export type CodeClass = EntraVerdict | "throttled" | "unavailable";

const CLASSES: Readonly<Record<CodeClass, readonly number[]>> = {
  // The token to exchange: bad signature, expired, malformed, an ID token.
  assertion_refused: [50013, 500133, 50027, 240002],
  // The user can do something about it: MFA, enrolment, an external challenge, a device, a new password.
  interaction_required: [50076, 50079, 50158, 53000, 53001, 53002, 50055, 50072, 50074],
  consent_required: [65001],
  // Signing in again does not help: not assigned, blocked by policy, declined, locked, disabled, not there.
  denied: [50105, 53003, 65004, 50053, 50057, 50034, 50020, 50126],
  // Refresh tokens and codes that are over.
  grant_dead: [70000, 70008, 700082, 700084, 50173, 70043, 9002313, 54005, 501481, 70018, 70019, 70020],
  // Our secret or certificate: read it again once before giving up.
  credential_refused: [7000215, 7000222, 700024, 700027, 700213, 7000212],
  // Our registration, tenant, scopes or request, all of which we chose or checked.
  misconfigured: [
    500131, 501051, 70003, 70011, 700016, 700022, 28002, 28003, 700030, 700038, 7000112, 7000114, 7000218, 500011,
    50011, 50194, 90002, 90009, 90013, 90014, 90019, 900144, 900023, 900561, 9001023, 1002012,
  ],
  throttled: [50196, 90055],
  unavailable: [90006, 90033, 90090, 70016],
};

const CLASS_BY_CODE: ReadonlyMap<number, CodeClass> = new Map(
  Object.entries(CLASSES).flatMap(([name, codes]) => codes.map((code) => [code, name as CodeClass] as const)),
);

/** The class of the first number that we know. */
export function classOfCodes(codes: readonly number[]): CodeClass | undefined {
  for (const code of codes) {
    const known = CLASS_BY_CODE.get(code);
    if (known !== undefined) return known;
  }
  return undefined;
}
