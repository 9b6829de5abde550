/** Which registration an entry belongs to. Pure. */
import { DEFAULT_REGISTRATION } from "../core/registration-names.ts";
import type { CallerRule, Policy } from "./rules.ts";

/** Name of the entry's registration. */
export function registrationName({ registration = DEFAULT_REGISTRATION }: Pick<CallerRule, "registration">): string {
  return registration;
}

/** Name of the registration with this client id, which must be one of this deployment. */
export function registrationNameOf({ registrations }: Policy, clientId: string): string {
  const found = Object.entries(registrations).find(([, registration]) => registration.clientId === clientId);
  return found?.[0] ?? DEFAULT_REGISTRATION;
}

/** Client id of the entry's registration. Undefined: the registration of the setting `CLIENT_ID`, which no policy names. */
export function registrationIdOf(policy: Policy, { registration }: Pick<CallerRule, "registration">) {
  return registration === undefined ? undefined : policy.registrations[registration]?.clientId;
}

/** Whether the entry belongs to the registration with this client id, which must be one of this deployment. */
export function isOfRegistration(policy: Policy, entry: Pick<CallerRule, "registration">, clientId: string): boolean {
  const own = registrationIdOf(policy, entry);
  return own === undefined
    ? !Object.values(policy.registrations).some((registration) => registration.clientId === clientId)
    : own === clientId;
}

/** Whether both entries name the same registration. */
export function isSameRegistration(
  one: { readonly registration?: string | undefined },
  other: { readonly registration?: string | undefined },
): boolean {
  return one.registration === other.registration;
}
