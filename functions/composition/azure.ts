/**
 * The managed identity and Key Vault. Each SDK is a lazy chunk of the bundle that the first request to need it loads.
 */
import type { FixedConfig } from "../../shared/config/config.ts";
import type { AzureIdentity } from "../../shared/credential/azure-identity.ts";
import type { Vault } from "../../shared/credential/vault.ts";
import { once } from "./once.ts";

export interface Azure {
  identity(): Promise<AzureIdentity>;
  vault(): Promise<Vault>;
}

export function createAzure({ cloud, vaultUrl, managedIdentityClientId }: FixedConfig): Azure {
  const identity = once(async () => {
    const { createAzureIdentity } = await import("../../shared/credential/azure-identity.ts");
    return createAzureIdentity(managedIdentityClientId === undefined ? {} : { managedIdentityClientId });
  });
  const vault = once(async () => {
    const [{ createKeyVault }, credential] = await Promise.all([
      import("../../shared/credential/key-vault.ts"),
      identity(),
    ]);
    // The configuration requires a URL wherever the service needs a vault.
    return createKeyVault({ vaultUrl: vaultUrl ?? "", cloudName: cloud.name, identity: credential });
  });
  return { identity, vault };
}
