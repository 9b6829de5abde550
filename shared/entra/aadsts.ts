/**
 * The class of each known Entra error number (AADSTS). An error about a value that the service checked or the
 * administrator configured is never reported as an error of the caller. `read-answer.ts` classifies all other numbers by
 * `error`, `suberror` and `claims`, as Microsoft recommends.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
import type { EntraVerdict } from "../core/failure.ts";

/**
 * The class for a refresh token; `read-answer.ts` adapts it to the other flows. With `throttled` and `unavailable`, Entra did not decide about the request: the same request may succeed later.
 */
export type CodeClass = Exclude<EntraVerdict, "code_refused"> | "throttled" | "unavailable";

const CLASSES: Readonly<Record<CodeClass, readonly number[]>> = {
  // The assertion has an invalid signature, is expired or malformed, or is an ID token.
  assertion_refused: [50013, 500133, 50027, 240002],
  // The user must act: MFA, enrollment, an external challenge, another device, a new password.
  interaction_required: [50076, 50079, 50158, 53000, 53001, 53002, 50055, 50072, 50074],
  consent_required: [65001],
  // Another sign-in does not help: the user is not assigned, blocked by policy, locked, disabled, unknown, or declined.
  denied: [50105, 53003, 65004, 50053, 50057, 50034, 50020, 50126],
  // The refresh token or code is expired, used or revoked.
  grant_dead: [70000, 70008, 700082, 700084, 50173, 70043, 9002313, 54005, 501481, 70018, 70019, 70020],
  // Entra refused the client secret, the certificate or the federated credential of the service.
  credential_refused: [7000215, 7000222, 700024, 700027, 700211, 700212, 700213, 70021, 7002137, 7002138, 700223],
  // The registration, the tenant or the request is wrong. The service or its administrator chose all of them.
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

/** The class of the first listed number. */
export function classOfCodes(codes: readonly number[]): CodeClass | undefined {
  for (const code of codes) {
    const known = CLASS_BY_CODE.get(code);
    if (known !== undefined) return known;
  }
  return undefined;
}
