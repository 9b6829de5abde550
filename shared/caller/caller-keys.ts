/**
 * The keys that may sign callers' tokens: those of the tenant, and those that Entra uses only for tokens of this
 * service's registration. Entra gives a registration keys of its own if it has a claims mapping, and publishes them only
 * in the key set with `?appid=<client id>` (E-7). Keys of other applications are never read (TK-21).
 *
 * The second set is read only for a key id that the first one does not have, with the same cooldown.
 */
import type { IssuerKeys } from "./issuer-keys.ts";

export interface CallerKeysInput {
  readonly tenant: IssuerKeys;
  readonly registration: IssuerKeys;
}

export interface CallerKeys extends IssuerKeys {
  /** False: the key is one of a registration with a claims mapping, so claims of the token may not be Entra's own. */
  isOfTenant(keyId: string): boolean;
}

export function createCallerKeys({ tenant, registration }: CallerKeysInput): CallerKeys {
  return {
    isOfTenant: tenant.has,
    async find(keyId, trace) {
      if (!tenant.has(keyId) && registration.has(keyId)) return registration.find(keyId, trace);
      const found = await tenant.find(keyId, trace);
      if (found.ok || found.failure === "keys_unavailable") return found;
      return registration.find(keyId, trace);
    },
    has: (keyId) => tenant.has(keyId) || registration.has(keyId),
    get generation() {
      return tenant.generation + registration.generation;
    },
    ready: (trace) => tenant.ready(trace),
  };
}
