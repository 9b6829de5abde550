/** The registrations with delegated permissions: the one of the settings, and those of the policy. */
import type { Config, DelegatedRegistrationConfig } from "../../shared/config/config.ts";
import type { Registrations } from "../../shared/entra/registration.ts";
import type { RegistrationWithCredential } from "./registration.ts";

export interface RegistrationsWithCredentials extends Registrations {
  readonly default: RegistrationWithCredential;
  /** The default one first. */
  readonly all: readonly RegistrationWithCredential[];
}

export function createRegistrations(
  { registrations: [first, ...others] }: Config,
  create: (registration: DelegatedRegistrationConfig) => RegistrationWithCredential,
): RegistrationsWithCredentials {
  const byDefault = create(first);
  const all = [byDefault, ...others.map(create)];
  const byClientId = new Map(all.map((registration) => [registration.clientId, registration]));
  return { default: byDefault, all, find: (clientId) => byClientId.get(clientId) };
}
