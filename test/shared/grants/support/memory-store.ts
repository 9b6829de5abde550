/** A grant store in memory with the etag rules of the real one. A test can act before an operation. */
import type { Grant } from "../../../../shared/core/grant.ts";
import { fail, succeed } from "../../../../shared/core/result.ts";
import type { GrantStore } from "../../../../shared/grants/grant-store.ts";
import type { GrantStoreFailure, StoredGrant } from "../../../../shared/grants/grant-types.ts";

export interface MemoryStore extends GrantStore {
  readonly rows: Map<string, StoredGrant>;
  readonly calls: string[];
  /** While set, every operation fails with it. */
  failure: GrantStoreFailure | undefined;
  /** Called before each `replace`, so that a test can act as another instance that writes first. */
  beforeReplace: (() => void | Promise<void>) | undefined;
}

export function memoryStore(): MemoryStore {
  let version = 0;
  const tombstones = new Set<string>();
  const put = (grant: Grant, sealed: string): StoredGrant => {
    version += 1;
    const stored = { grant, sealed, etag: `W/"${version}"` };
    store.rows.set(grant.id, stored);
    return stored;
  };
  const begin = (name: string) => {
    store.calls.push(name);
    return store.failure === undefined ? undefined : fail(store.failure);
  };
  const store: MemoryStore = {
    rows: new Map(),
    calls: [],
    failure: undefined,
    beforeReplace: undefined,
    create: async (grant, sealed) =>
      begin("create") ??
      (tombstones.has(grant.id) || store.rows.has(grant.id)
        ? fail({ kind: "grant_exists", grantId: grant.id } as const)
        : succeed(put(grant, sealed))),
    read: async (id) => begin("read") ?? succeed(store.rows.get(id)),
    async replace(stored, { sealed, lastRedeemedAtSeconds }) {
      await store.beforeReplace?.();
      const failed = begin("replace");
      if (failed) return failed;
      const row = store.rows.get(stored.grant.id);
      if (row === undefined) return succeed("gone" as const);
      if (row.etag !== stored.etag) return succeed("changed" as const);
      return succeed(put({ ...stored.grant, lastRedeemedAtSeconds }, sealed));
    },
    delete: async (grant) => begin("delete") ?? succeed(store.rows.delete(grant.id)),
    replaceWithTombstone: async (grant) => {
      tombstones.add(grant.id);
      return begin("replaceWithTombstone") ?? succeed(store.rows.delete(grant.id));
    },
    writeTombstone: async (id) => {
      tombstones.add(id);
      store.rows.delete(id);
      return begin("writeTombstone") ?? succeed(true as const);
    },
    list: async () =>
      begin("list") ?? succeed({ grants: [...store.rows.values()].map((row) => row.grant), next: undefined }),
    reap: async ({ beforeSeconds, dryRun }) =>
      begin("reap") ?? succeed({ expired: beforeSeconds, deleted: dryRun ? 0 : 1, failed: 0, more: false }),
    check: async () => begin("check") ?? succeed(true as const),
  };
  return store;
}
