/** A vault in memory: versions with attributes, outages, a log of reads, and reads that wait until released. */

import { fail, succeed } from "../../../../shared/core/result.ts";
import { SecretValue } from "../../../../shared/core/secret-value.ts";
import type { Vault, VaultFailure, VaultSecret, VaultVersion } from "../../../../shared/credential/vault.ts";

export interface FakeVersion {
  value?: string;
  enabled?: boolean;
  notBeforeSeconds?: number;
  expiresAtSeconds?: number;
  contentType?: string;
}

export interface FakeVault extends Vault {
  /** Oldest first, as added. */
  readonly versions: Map<string, FakeVersion>;
  /** Log of reads: `latest`, a version, or `list`. */
  readonly reads: string[];
  /** While set, every call fails with this. */
  failure: VaultFailure | undefined;
  /** While set, only listing fails with this: an identity without that permission. */
  listFailure: VaultFailure | undefined;
  /** Makes calls wait; `release` answers all of them with the state at that time. */
  hold(): { release(): void };
}

export function fakeVault(versions: Readonly<Record<string, FakeVersion>> = { v1: {} }): FakeVault {
  let gate = Promise.resolve();
  const vault: FakeVault = {
    versions: new Map(Object.entries(versions)),
    reads: [],
    failure: undefined,
    listFailure: undefined,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return { release: resolve };
    },
    async readSecret(_name, version) {
      vault.reads.push(version ?? "latest");
      await gate;
      if (vault.failure !== undefined) return fail(vault.failure);
      const wanted = version ?? [...vault.versions.keys()].at(-1) ?? "";
      const found = vault.versions.get(wanted);
      if (found === undefined) return fail({ kind: "secret_missing" });
      if (found.enabled === false) return fail({ kind: "secret_disabled" });
      return succeed(toSecret(wanted, found));
    },
    async listVersions() {
      vault.reads.push("list");
      await gate;
      const failure = vault.failure ?? vault.listFailure;
      if (failure !== undefined) return fail(failure);
      return succeed([...vault.versions].map(toVersion).reverse());
    },
  };
  return vault;
}

function dates({ notBeforeSeconds, expiresAtSeconds }: FakeVersion) {
  return {
    ...(notBeforeSeconds === undefined ? {} : { notBeforeSeconds }),
    ...(expiresAtSeconds === undefined ? {} : { expiresAtSeconds }),
  };
}

function toSecret(version: string, found: FakeVersion): VaultSecret {
  return {
    value: new SecretValue(found.value ?? `value-of-${version}`),
    version,
    ...dates(found),
    ...(found.contentType === undefined ? {} : { contentType: found.contentType }),
  };
}

function toVersion([version, found]: [string, FakeVersion], at: number): VaultVersion {
  return { version, enabled: found.enabled !== false, createdAtSeconds: at, ...dates(found) };
}
