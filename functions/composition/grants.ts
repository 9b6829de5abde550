/** Grants, their table and the marks in it. The SDK is a lazy chunk of the bundle that the first request to need it loads. */
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import type { CloudName } from "../../shared/config/clouds.ts";
import type { GrantConfig } from "../../shared/config/config.ts";
import type { GrantStore } from "../../shared/grants/grant-store.ts";
import type { GrantTable } from "../../shared/grants/grant-table.ts";
import type { IsLive } from "../../shared/grants/grant-types.ts";
import type { GrantUpkeep } from "../../shared/grants/grant-upkeep.ts";
import type { Grants } from "../../shared/grants/grants.ts";
import type { MarkStore } from "../../shared/grants/mark-store.ts";
import type { OrphanRemovalInput } from "../../shared/grants/remove-orphan.ts";
import type { Azure } from "./azure.ts";
import { once } from "./once.ts";
import type { Sealing } from "./sealing.ts";

export interface GrantStores {
  /** One for all, because each client of the SDK gets its own tokens for the table. */
  table(): Promise<GrantTable>;
  store(): Promise<GrantStore>;
  marks(): Promise<MarkStore>;
}

export interface GrantServices extends GrantStores {
  grants(): Promise<Grants>;
  /** What the timers do with grants. */
  upkeep(): Promise<GrantUpkeep>;
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
  readonly pause: (milliseconds: number) => Promise<unknown>;
  readonly operatorLog: OperatorLog;
}

export function createGrantStores({ cloudName, grants, azure }: GrantStoresInput): GrantStores {
  const { tableEndpoint, tableName } = grants;
  const table = once(async () => {
    const [{ openGrantTable }, identity] = await Promise.all([
      import("../../shared/grants/grant-table.ts"),
      cloudName === "local" ? undefined : azure.identity(),
    ]);
    return openGrantTable({ cloudName, tableEndpoint, tableName, identity });
  });
  return {
    table,
    store: once(async () => {
      const { createTableGrantStore } = await import("../../shared/grants/table-grant-store.ts");
      return createTableGrantStore(await table());
    }),
    marks: once(async () => {
      const { createTableMarkStore } = await import("../../shared/grants/table-mark-store.ts");
      return createTableMarkStore(await table());
    }),
  };
}

export function createGrantServices(input: GrantServicesInput): GrantServices {
  const { stores, isLive, sealing, nowMs } = input;
  const parts = once(async () => {
    const [{ GRANT_PURPOSE }, { HANDLE_PURPOSE }, sealerFor, store] = await Promise.all([
      import("../../shared/grants/sealed-grant.ts"),
      import("../../shared/grants/sealed-handle.ts"),
      sealing.sealers(),
      stores.store(),
    ]);
    return { store, isLive, sealer: sealerFor(GRANT_PURPOSE), handleSealer: sealerFor(HANDLE_PURPOSE) };
  });
  const grants = once(async () => {
    const [{ createGrants }, { createOrphanRemoval }, made] = await Promise.all([
      import("../../shared/grants/grants.ts"),
      import("../../shared/grants/remove-orphan.ts"),
      parts(),
    ]);
    const onOrphan: OrphanRemovalInput["onOrphan"] = (grantId, outcome) =>
      input.operatorLog.add({ event: "grants", name: `orphan_${outcome}`, grantId });
    const removeOrphan = createOrphanRemoval({ store: made.store, pause: input.pause, onOrphan });
    return createGrants({ ...made, now: nowMs, removeOrphan });
  });
  const upkeep = once(async () => {
    const [{ createGrantUpkeep }, made] = await Promise.all([import("../../shared/grants/grant-upkeep.ts"), parts()]);
    return createGrantUpkeep({ ...made, nowSeconds: () => Math.floor(nowMs() / 1_000) });
  });
  return { ...stores, grants, upkeep };
}
