/** Grants and their table. The SDK is a lazy chunk of the bundle that the first request to need it loads. */
import type { CloudName } from "../../shared/config/clouds.ts";
import type { GrantConfig } from "../../shared/config/config.ts";
import type { GrantStore } from "../../shared/grants/grant-store.ts";
import type { Grants } from "../../shared/grants/grants.ts";
import type { Azure } from "./azure.ts";
import { once } from "./once.ts";
import type { Sealing } from "./sealing.ts";

export interface GrantServices {
  grants(): Promise<Grants>;
  store(): Promise<GrantStore>;
}

export interface GrantServicesInput {
  readonly cloudName: CloudName;
  readonly grants: GrantConfig;
  readonly azure: Azure;
  readonly sealing: Sealing;
  readonly nowMs: () => number;
}

export function createGrantServices(input: GrantServicesInput): GrantServices {
  const { cloudName, azure, sealing, nowMs } = input;
  const { tableEndpoint, tableName } = input.grants;
  const store = once(async () => {
    const { createTableGrantStore } = await import("../../shared/grants/table-grant-store.ts");
    const identity = cloudName === "local" ? undefined : await azure.identity();
    return createTableGrantStore({ cloudName, tableEndpoint, tableName, identity });
  });
  const grants = once(async () => {
    const [{ createGrants }, { GRANT_PURPOSE }, sealerFor, grantStore] = await Promise.all([
      import("../../shared/grants/grants.ts"),
      import("../../shared/grants/sealed-grant.ts"),
      sealing.sealers(),
      store(),
    ]);
    return createGrants({ store: grantStore, sealer: sealerFor(GRANT_PURPOSE), now: nowMs });
  });
  return { grants, store };
}
