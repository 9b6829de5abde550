/** Azure's identity and Key Vault. Each SDK is a lazy chunk of the bundle, loaded by the first request that needs it. */
import type { Config } from "../../shared/config/config.ts";
import type { AzureIdentity } from "../../shared/credential/azure-identity.ts";
import type { Vault } from "../../shared/credential/vault.ts";
import { once } from "./once.ts";

export interface Azure {
  identity(): Promise<AzureIdentity>;
  vault(): Promise<Vault>;
}

export function createAzure({ cloud, vaultUrl, managedIdentityClientId }: Config): Azure {
  const identity = once(async () => {
    const { createAzureIdentity } = await import("../../shared/credential/azure-identity.ts");
    return createAzureIdentity(managedIdentityClientId === undefined ? {} : { managedIdentityClientId });
  });
  const vault = once(async () => {
    const [{ createKeyVault }, used] = await Promise.all([import("../../shared/credential/key-vault.ts"), identity()]);
    // The configuration has made sure that there is a URL wherever a vault is needed.
    return createKeyVault({ vaultUrl: vaultUrl ?? "", cloudName: cloud.name, identity: used });
  });
  return { identity, vault };
}
