/** A grant store in memory with the etag rules of the real one. A test can act before an operation. */
import { fail, succeed } from "../../../../shared/core/result.ts";
import { changedContent } from "../../../../shared/grants/grant-change.ts";
import type { GrantStore } from "../../../../shared/grants/grant-store.ts";
import type {
  GrantContent,
  GrantStoreFailure,
  StoredGrant,
  StoredRequest,
  StoredRow,
} from "../../../../shared/grants/grant-types.ts";

export interface MemoryStore extends GrantStore {
  readonly rows: Map<string, StoredGrant>;
  readonly requests: Map<string, StoredRequest>;
  /** Code id → the grant that it made. */
  readonly codes: Map<string, string | undefined>;
  readonly calls: string[];
  /** While set, every operation fails with it. */
  failure: GrantStoreFailure | undefined;
  /** Called before each `replace` and `allow`, so that a test can act as another instance that writes first. */
  beforeReplace: (() => void | Promise<void>) | undefined;
}

export function memoryStore(): MemoryStore {
  let version = 0;
  const rowOf = (id: string): StoredRow | undefined => store.rows.get(id) ?? store.requests.get(id);
  const put = (content: GrantContent): StoredGrant => {
    version += 1;
    const { grant } = content;
    const stored = { ...content, etag: `W/"${version}"` };
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
    codes: new Map(),
    calls: [],
    failure: undefined,
    beforeReplace: undefined,
    create: async (content) =>
      begin("create") ??
      (rowOf(content.grant.id) !== undefined
        ? fail({ kind: "grant_exists", grantId: content.grant.id } as const)
        : succeed(put(content))),
    search: async () =>
      begin("search") ?? succeed({ grants: [...store.rows.values()].map(({ grant }) => grant), next: undefined }),
    read: async (id) => begin("read") ?? succeed(rowOf(id)),
    async request(requested, sealed) {
      const failed = begin("request");
      if (failed) return failed;
      putRequest(requested, sealed);
      return succeed(true as const);
    },
    async allow(previous, content) {
      await store.beforeReplace?.();
      const failed = begin("allow");
      if (failed) return failed;
      const row = rowOf(content.grant.id);
      if (row === undefined) return succeed("gone" as const);
      return row.etag === previous.etag ? succeed(put(content)) : succeed("changed" as const);
    },
    async restore(allowed, previous) {
      const failed = begin("restore");
      if (failed) return failed;
      if (rowOf(allowed.grant.id)?.etag !== allowed.etag) return succeed(false);
      if ("grant" in previous) put(previous);
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
    async replace(stored, change) {
      await store.beforeReplace?.();
      const failed = begin("replace");
      if (failed) return failed;
      const row = store.rows.get(stored.grant.id);
      if (row === undefined) return succeed("gone" as const);
      if (row.etag !== stored.etag) return succeed("changed" as const);
      return succeed(put(changedContent(stored, change)));
    },
    delete: async (grant) => begin("delete") ?? succeed(store.rows.delete(grant.id)),
    list: async () =>
      begin("list") ?? succeed({ grants: [...store.rows.values()].map((row) => row.grant), next: undefined }),
    listOfUser: async ({ binding, user }) =>
      begin("listOfUser") ??
      succeed(
        [...store.rows.values()]
          .map(({ grant }) => grant)
          .filter((grant) => grant.binding.clientId === binding.clientId && grant.user.objectId === user.objectId)
          .reverse(),
      ),
    async claimCode({ codeId, grantId }) {
      const failed = begin("claimCode");
      if (failed) return failed;
      if (store.codes.has(codeId)) return succeed({ grantId: store.codes.get(codeId) });
      store.codes.set(codeId, grantId);
      return succeed(undefined);
    },
    find: async () => begin("find") ?? succeed({ grants: [...store.rows.values()], continuation: undefined }),
    reap: async ({ beforeSeconds, dryRun }) =>
      begin("reap") ?? succeed({ expired: beforeSeconds, deleted: dryRun ? 0 : 1, failed: 0, more: false }),
    check: async () => begin("check") ?? succeed(true as const),
  };
  return store;
}
