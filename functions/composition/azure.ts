/**
 * The parts that bring Azure's SDKs: identity, Key Vault, the grant table. Each is a lazy chunk of the bundle, loaded by
 * the first request that needs it.
 */
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import type { Config, GrantConfig } from "../../shared/config/config.ts";
import type { AzureIdentity } from "../../shared/credential/azure-identity.ts";
import type { Vault } from "../../shared/credential/vault.ts";
import type { GrantStore } from "../../shared/grants/grant-store.ts";
import type { Grants } from "../../shared/grants/grants.ts";
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

export interface GrantParts {
  grants(): Promise<Grants>;
  store(): Promise<GrantStore>;
}

export function createGrantParts(
  config: Config,
  { tableEndpoint, tableName, sealingKeyName }: GrantConfig,
  azure: Azure,
  { nowMs, operatorLog }: { readonly nowMs: () => number; readonly operatorLog: OperatorLog },
): GrantParts {
  const { cloud } = config;
  const store = once(async () => {
    const { createTableGrantStore } = await import("../../shared/grants/table-grant-store.ts");
    const identity = cloud.name === "local" ? undefined : await azure.identity();
    return createTableGrantStore({ cloudName: cloud.name, tableEndpoint, tableName, identity });
  });
  const grants = once(async () => {
    const [{ createGrants }, { createSealer }, { createSealingKeys }, { GRANT_PURPOSE }, used] = await Promise.all([
      import("../../shared/grants/grants.ts"),
      import("../../shared/grants/seal.ts"),
      import("../../shared/grants/sealing-keys.ts"),
      import("../../shared/grants/sealed-grant.ts"),
      store(),
    ]);
    const keys = createSealingKeys({
      source: { read: async (version) => (await azure.vault()).readSecret(sealingKeyName, version) },
      now: nowMs,
      onStale: (reason) => operatorLog.add({ event: "credential", name: "sealing_key_stale", reason }),
    });
    return createGrants({ store: used, sealer: createSealer({ purpose: GRANT_PURPOSE, keys }), now: nowMs });
  });
  return { grants, store };
}
