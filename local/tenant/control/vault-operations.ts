/**
 * Control operations for the vault. For an outage, use a scripted response: `{ endpoint: "vault", status: 503, times: 0 }`.
 */
import type { Directory } from "../directory/directory.ts";
import type { SecretInput, SecretVersion, Vault, VaultRole } from "../vault/vault.ts";

export interface VaultContentTenant {
  readonly directory: Directory;
  readonly vault: Vault;
}

export interface SecretChange {
  name: string;
  /** Default: the newest version. */
  version?: string;
  enabled?: boolean;
  /** Unix seconds; `null` removes the limit. */
  notBefore?: number | null;
  expires?: number | null;
}

export function createVaultOperations(tenant: VaultContentTenant) {
  const { vault, directory } = tenant;
  return {
    setSecret: ({ name, ...input }: { name: string } & SecretInput) => ({ version: vault.set(name, input).version }),
    changeSecret: ({ name, version, enabled, notBefore, expires }: SecretChange) => {
      const versions = vault.versions(name) ?? [];
      const found = version === undefined ? versions.at(-1) : versions.find((one) => one.version === version);
      if (found === undefined) throw new TypeError(`the vault has no secret ${name}`);
      if (enabled !== undefined) found.enabled = enabled;
      limit(found, "notBefore", notBefore);
      limit(found, "expires", expires);
    },
    deleteSecret: (input: { name: string }) => vault.delete(input.name),
    recoverSecret: (input: { name: string }) => vault.recover(input.name),
    /** Sets what a principal may do in the vault. Default: the system-assigned identity. */
    setVaultRole: ({ role, principal = "systemIdentity" }: { role: VaultRole; principal?: string }) => {
      vault.setRole(directory.registration(principal)?.objectId ?? principal, role);
    },
  };
}

function limit(secret: SecretVersion, member: "notBefore" | "expires", value: number | null | undefined): void {
  if (value === null) delete secret[member];
  else if (value !== undefined) secret[member] = value;
}
