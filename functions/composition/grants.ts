/** Grants, their table and the marks in it. The SDK is a lazy chunk of the bundle that the first request to need it loads. */
import type { CloudName } from "../../shared/config/clouds.ts";
import type { GrantConfig } from "../../shared/config/config.ts";
import type { GrantStore } from "../../shared/grants/grant-store.ts";
import type { IsLive } from "../../shared/grants/grant-types.ts";
import type { Grants } from "../../shared/grants/grants.ts";
import type { MarkStore } from "../../shared/grants/mark-store.ts";
import type { Azure } from "./azure.ts";
import { once } from "./once.ts";
import type { Sealing } from "./sealing.ts";

export interface GrantStores {
  store(): Promise<GrantStore>;
  marks(): Promise<MarkStore>;
}

export interface GrantServices extends GrantStores {
  grants(): Promise<Grants>;
}

export interface GrantStoresInput {
  readonly cloudName: CloudName;
  readonly grants: GrantConfig;
  readonly azure: Azure;
}

export interface GrantServicesInput {
  readonly stores: GrantStores;
  readonly isLive: IsLive;
  readonly sealing: Sealing;
  readonly nowMs: () => number;
}

export function createGrantStores({ cloudName, grants, azure }: GrantStoresInput): GrantStores {
  const { tableEndpoint, tableName } = grants;
  const location = async () => {
    const identity = cloudName === "local" ? undefined : await azure.identity();
    return { cloudName, tableEndpoint, tableName, identity };
  };
  return {
    store: once(async () => {
      const { createTableGrantStore } = await import("../../shared/grants/table-grant-store.ts");
      return createTableGrantStore(await location());
    }),
    marks: once(async () => {
      const { createTableMarkStore } = await import("../../shared/grants/table-mark-store.ts");
      return createTableMarkStore(await location());
    }),
  };
}

export function createGrantServices({ stores, isLive, sealing, nowMs }: GrantServicesInput): GrantServices {
  const grants = once(async () => {
    const [{ createGrants }, { GRANT_PURPOSE }, sealerFor, store] = await Promise.all([
      import("../../shared/grants/grants.ts"),
      import("../../shared/grants/sealed-grant.ts"),
      sealing.sealers(),
      stores.store(),
    ]);
    return createGrants({ store, sealer: sealerFor(GRANT_PURPOSE), isLive, now: nowMs });
  });
  return { ...stores, grants };
}
