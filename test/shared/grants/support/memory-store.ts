/** A grant store in memory with the real one's etag rules, and a place to step in before an operation. */
import type { Grant } from "../../../../shared/core/grant.ts";
import { fail, succeed } from "../../../../shared/core/result.ts";
import type { GrantStoreFailure, StoredGrant } from "../../../../shared/grants/grant.ts";
import type { GrantStore } from "../../../../shared/grants/grant-store.ts";

export interface MemoryStore extends GrantStore {
  readonly rows: Map<string, StoredGrant>;
  readonly calls: string[];
  /** Every operation gives this while set. */
  failure: GrantStoreFailure | undefined;
  /** Called before each `replace`: another instance's chance to write first. */
  beforeReplace: (() => void | Promise<void>) | undefined;
}

export function memoryStore(): MemoryStore {
  let version = 0;
  const buried = new Set<string>();
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
      (buried.has(grant.id) || store.rows.has(grant.id)
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
    bury: async (grant) => {
      buried.add(grant.id);
      return begin("bury") ?? succeed(store.rows.delete(grant.id));
    },
    forbid: async (id) => {
      buried.add(id);
      store.rows.delete(id);
      return begin("forbid") ?? succeed(true as const);
    },
    list: async () =>
      begin("list") ?? succeed({ grants: [...store.rows.values()].map((row) => row.grant), next: undefined }),
    reap: async ({ beforeSeconds, dryRun }) =>
      begin("reap") ?? succeed({ expired: beforeSeconds, deleted: dryRun ? 0 : 1, failed: 0, more: false }),
    check: async () => begin("check") ?? succeed(true as const),
  };
  return store;
}
