/** A grant store in memory with the etag rules of the real one. A test can act before an operation. */
import type { Grant } from "../../../../shared/core/grant.ts";
import { fail, succeed } from "../../../../shared/core/result.ts";
import type { GrantStore } from "../../../../shared/grants/grant-store.ts";
import type {
  GrantStoreFailure,
  StoredGrant,
  StoredRequest,
  StoredRow,
} from "../../../../shared/grants/grant-types.ts";

export interface MemoryStore extends GrantStore {
  readonly rows: Map<string, StoredGrant>;
  readonly requests: Map<string, StoredRequest>;
  readonly calls: string[];
  /** While set, every operation fails with it. */
  failure: GrantStoreFailure | undefined;
  /** Called before each `replace` and `allow`, so that a test can act as another instance that writes first. */
  beforeReplace: (() => void | Promise<void>) | undefined;
}

export function memoryStore(): MemoryStore {
  let version = 0;
  const rowOf = (id: string): StoredRow | undefined => store.rows.get(id) ?? store.requests.get(id);
  const put = (grant: Grant, sealed: string): StoredGrant => {
    version += 1;
    const stored = { grant, sealed, etag: `W/"${version}"` };
    store.rows.set(grant.id, stored);
    store.requests.delete(grant.id);
    return stored;
  };
  const putRequest = (requested: StoredRequest["requested"], sealed: string) => {
    version += 1;
    store.requests.set(requested.id, { requested, sealed, etag: `W/"${version}"` });
    store.rows.delete(requested.id);
  };
  const begin = (name: string) => {
    store.calls.push(name);
    return store.failure === undefined ? undefined : fail(store.failure);
  };
  const store: MemoryStore = {
    rows: new Map(),
    requests: new Map(),
    calls: [],
    failure: undefined,
    beforeReplace: undefined,
    create: async (grant, sealed) =>
      begin("create") ??
      (rowOf(grant.id) !== undefined
        ? fail({ kind: "grant_exists", grantId: grant.id } as const)
        : succeed(put(grant, sealed))),
    search: async () =>
      begin("search") ?? succeed({ grants: [...store.rows.values()].map(({ grant }) => grant), next: undefined }),
    read: async (id) => begin("read") ?? succeed(rowOf(id)),
    async request(requested, sealed) {
      const failed = begin("request");
      if (failed) return failed;
      putRequest(requested, sealed);
      return succeed(true as const);
    },
    async allow(previous, grant, sealed) {
      await store.beforeReplace?.();
      const failed = begin("allow");
      if (failed) return failed;
      const row = rowOf(grant.id);
      if (row === undefined) return succeed("gone" as const);
      return row.etag === previous.etag ? succeed(put(grant, sealed)) : succeed("changed" as const);
    },
    async restore(allowed, previous) {
      const failed = begin("restore");
      if (failed) return failed;
      if (rowOf(allowed.grant.id)?.etag !== allowed.etag) return succeed(false);
      if ("grant" in previous) put(previous.grant, previous.sealed);
      else putRequest(previous.requested, previous.sealed);
      return succeed(true);
    },
    async withdraw({ requested, etag }) {
      await store.beforeReplace?.();
      const failed = begin("withdraw");
      if (failed) return failed;
      const row = rowOf(requested.id);
      if (row === undefined) return succeed("gone" as const);
      if (row.etag !== etag) return succeed("changed" as const);
      store.requests.delete(requested.id);
      return succeed("removed" as const);
    },
    async replace(stored, { sealed, ...times }) {
      await store.beforeReplace?.();
      const failed = begin("replace");
      if (failed) return failed;
      const row = store.rows.get(stored.grant.id);
      if (row === undefined) return succeed("gone" as const);
      if (row.etag !== stored.etag) return succeed("changed" as const);
      return succeed(put({ ...stored.grant, ...times }, sealed));
    },
    delete: async (grant) => begin("delete") ?? succeed(store.rows.delete(grant.id)),
    list: async () =>
      begin("list") ?? succeed({ grants: [...store.rows.values()].map((row) => row.grant), next: undefined }),
    reap: async ({ beforeSeconds, dryRun }) =>
      begin("reap") ?? succeed({ expired: beforeSeconds, deleted: dryRun ? 0 : 1, failed: 0, more: false }),
    check: async () => begin("check") ?? succeed(true as const),
  };
  return store;
}
