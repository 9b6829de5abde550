/**
 * The keys that may sign callers' tokens: those of the tenant, and those that Entra uses only for tokens of one of this
 * service's registrations. Entra gives a registration keys of its own if it has a claims mapping, and publishes them only
 * in the key set with `?appid=<client id>` (E-7). Keys of other applications are never read (TK-21), and the keys of one
 * registration verify no token of another: the owner of a registration can add keys to it.
 *
 * The set of a registration is read only for a key id that the tenant's set does not have, with a cooldown. A token names
 * one registration, so a forged token causes at most two reads.
 */
import type { CryptoKey } from "jose";
import type { RequestTrace } from "../core/request-trace.ts";
import type { Result } from "../core/result.ts";
import type { IssuerKeys } from "./issuer-keys.ts";

export interface CallerKeysInput {
  readonly tenant: IssuerKeys;
  /** By client id. */
  readonly registrations: ReadonlyMap<string, IssuerKeys>;
}

export interface CallerKeys extends Pick<IssuerKeys, "generation" | "ready"> {
  /** False: the key is one of a registration with a claims mapping, so claims of the token may not be Entra's own. */
  isOfTenant(keyId: string): boolean;
  /**
   * The key with this id for tokens of this registration. `registration`: the client id that the token's audience names;
   * undefined: none of this service, so only the tenant's keys are looked at. Called only if the tenant lacks the key.
   */
  find(
    keyId: string,
    registration: () => string | undefined,
    trace?: RequestTrace,
  ): Promise<Result<CryptoKey, "key_unknown" | "keys_unavailable">>;
}

export function createCallerKeys({ tenant, registrations }: CallerKeysInput): CallerKeys {
  return {
    isOfTenant: tenant.has,
    async find(keyId, registrationOf, trace) {
      if (tenant.has(keyId)) return tenant.find(keyId, trace);
      const registration = registrations.get(registrationOf() ?? "");
      if (registration?.has(keyId) === true) return registration.find(keyId, trace);
      const found = await tenant.find(keyId, trace);
      if (registration === undefined || found.ok || found.failure === "keys_unavailable") return found;
      return registration.find(keyId, trace);
    },
    get generation() {
      return [tenant, ...registrations.values()].reduce((sum, { generation }) => sum + generation, 0);
    },
    ready: (trace) => tenant.ready(trace),
  };
}
