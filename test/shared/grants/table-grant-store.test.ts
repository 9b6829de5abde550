import { TableClient } from "@azure/data-tables";
import fc from "fast-check";
import { beforeEach, describe, expect, inject, it } from "vitest";
import type { Grant } from "../../../shared/core/grant.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import { newHandle } from "../../../shared/grants/grant-handle.ts";
import type { FindGrants, GrantStore } from "../../../shared/grants/grant-store.ts";
import { openGrantTable, toGrantTable } from "../../../shared/grants/grant-table.ts";
import type { StoredGrant, StoredRequest } from "../../../shared/grants/grant-types.ts";
import { createGrants } from "../../../shared/grants/grants.ts";
import { UNUSED } from "../../../shared/grants/new-grant.ts";
import { reapRows } from "../../../shared/grants/reap-rows.ts";
import { callTable } from "../../../shared/grants/table-call.ts";
import { createTableClient } from "../../../shared/grants/table-client.ts";
import { createTableGrantStore } from "../../../shared/grants/table-grant-store.ts";
import { newTableName } from "../../support/table-rows.ts";
import {
  applicationCaller,
  BY_CALLER,
  CLIENT,
  DAY_MS,
  EPOCH_MS,
  expectOk,
  fakeKeySource,
  grantRequest,
  OTHER,
  REGISTRATION,
  TENANT,
  testSealers,
  USER,
  userCaller,
} from "./support/fixtures.ts";

const tableEndpoint = inject("tables").url;
let tableName = "";
let store: GrantStore;

/** Azurite on a busy machine is slow, and these tests are not about the deadline. */
const deadlineMs = 20_000;

const open = () =>
  createTableGrantStore(
    openGrantTable({
      cloudName: "local",
      tableEndpoint,
      tableName,
      identity: undefined,
      deadlineMs,
    }),
  );
const client = () => createTableClient({ cloudName: "local", tableEndpoint, tableName, identity: undefined });

async function rows(): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = [];
  for await (const row of client().listEntities()) all.push(row);
  return all;
}

function grant(changes: Partial<Grant> = {}): Grant {
  return {
    id: newHandle().id,
    binding: { kind: "user", tenantId: TENANT, clientId: CLIENT },
    registration: REGISTRATION,
    user: { tenantId: TENANT, objectId: USER },
    apis: [{ api: "graph", scopes: ["Mail.Send", "User.Read"] }],
    policyEntry: "nightly mail, ünïcode",
    requestedBy: { clientId: CLIENT, userObjectId: USER },
    ...UNUSED,
    createdAtSeconds: EPOCH_MS / 1000,
    allowedAtSeconds: EPOCH_MS / 1000,
    expiresAtSeconds: (EPOCH_MS + DAY_MS) / 1000,
    ...changes,
  };
}

beforeEach(() => {
  tableName = newTableName();
  store = open();
});

describe("for timers, the store finds", () => {
  const found = async (request: FindGrants) =>
    expectOk(await store.find(request)).grants.map(({ grant: { id } }) => id);

  it("the grants that are kept alive, with what a write needs", async () => {
    const kept = grant({ keepAliveAfterSeconds: 5 });
    await store.create({ grant: grant(), sealed: "sealed" });
    const created = expectOk(await store.create({ grant: kept, sealed: "sealed", sealedHandle: "handle" }));
    expect(expectOk(await store.find({ which: "kept_alive" }))).toEqual({ grants: [created], continuation: undefined });
  });

  it("the grants that end in a time, without their index entries", async () => {
    const ending = (expiresAtSeconds: number) => grant({ expiresAtSeconds });
    const [before, first, last, after] = [ending(100), ending(101), ending(200), ending(201)];
    for (const one of [before, first, last, after]) await store.create({ grant: one, sealed: "sealed" });
    const ids = await found({ which: "ending", afterSeconds: 100, bySeconds: 200 });
    expect(new Set(ids)).toEqual(new Set([first.id, last.id]));
  });

  it("no grant in a row that the service did not write, and none without a table", async () => {
    expect(await found({ which: "kept_alive" })).toEqual([]);
    await store.create({ grant: grant(), sealed: "sealed" });
    const keepAliveAfterSeconds = { type: "Int64", value: "1" };
    await client().createEntity({ partitionKey: "grant-00", rowKey: "0".repeat(64), keepAliveAfterSeconds });
    expect(await found({ which: "kept_alive" })).toEqual([]);
  });
});

describe("the row of an authorization code", () => {
  const claim = { codeId: "c".repeat(64), grantId: "a".repeat(64), expiresAtSeconds: 7 };

  it("is kept by its first writer, who may repeat the write", async () => {
    await store.create({ grant: grant(), sealed: "sealed" });
    expect(await store.claimCode(claim)).toEqual({ ok: true, value: undefined });
    expect(await open().claimCode(claim)).toEqual({ ok: true, value: undefined });
    const replay = { ...claim, grantId: undefined };
    expect(await open().claimCode(replay)).toEqual({ ok: true, value: { grantId: claim.grantId } });
  });

  it("says that the code was replayed before its grant was stored", async () => {
    await store.create({ grant: grant(), sealed: "sealed" });
    expect(await store.claimCode({ ...claim, grantId: undefined })).toEqual({ ok: true, value: undefined });
    expect(await store.claimCode(claim)).toEqual({ ok: true, value: { grantId: undefined } });
  });

  it("is not written without a table, which has no grant", async () => {
    expect(await store.claimCode({ ...claim, grantId: undefined })).toEqual({ ok: true, value: undefined });
  });

  it("is deleted after its end like every row", async () => {
    await store.create({ grant: grant(), sealed: "sealed" });
    await store.claimCode(claim);
    expect(expectOk(await store.reap({ beforeSeconds: 8, limit: 10, dryRun: false }))).toMatchObject({ deleted: 1 });
  });
});

describe("a store without its table", () => {
  it("has no grants to read, list, reap, replace or delete, and passes the check", async () => {
    const missing = grant();
    expect(await store.check()).toEqual({ ok: true, value: true });
    expect(await store.read(missing.id)).toEqual({ ok: true, value: undefined });
    expect(await store.list({ caller: userCaller, limit: 5 })).toEqual({
      ok: true,
      value: { grants: [], next: undefined },
    });
    expect(await store.reap({ beforeSeconds: 1e10, limit: 5, dryRun: false })).toEqual({
      ok: true,
      value: { expired: 0, deleted: 0, failed: 0, more: false },
    });
    expect(
      await store.replace({ grant: missing, sealed: "x", etag: "*" }, { sealed: "y", lastRedeemedAtSeconds: 1 }),
    ).toEqual({
      ok: true,
      value: "gone",
    });
    expect(await store.delete(missing)).toEqual({ ok: true, value: false });
  });

  it("creates it with the first grants, even if two instances do so at the same time", async () => {
    const made = await Promise.all([
      open().create({ grant: grant(), sealed: "a" }),
      open().create({ grant: grant(), sealed: "b" }),
    ]);
    expect(made.map((result) => result.ok)).toEqual([true, true]);
  });
});

const BROKEN_LISTS = ['{"a":1}', "[]", "[1]", '[{"api":"graph"}]', '[{"api":"graph","scopes":[1]}]', "not JSON"];

describe("the row of a grant", () => {
  it("is read as it was written", async () => {
    const original = grant({ apis: [{ api: "graph", scopes: [] }], lastRedeemedAtSeconds: 1_800_000_001 });
    const created = expectOk(await store.create({ grant: original, sealed: "sealed" }));
    expect(created.etag).not.toBe("");
    expect(expectOk(await store.read(original.id))).toEqual(created);
    expect(created.grant).toEqual(original);
  });

  it("stores seconds after 2038", async () => {
    const original = grant({
      createdAtSeconds: 2 ** 32,
      expiresAtSeconds: 2 ** 33,
      lastRedeemedAtSeconds: 2 ** 32 + 1,
    });
    await store.create({ grant: original, sealed: "sealed" });
    expect(expectOk(await store.read(original.id))).toMatchObject({ grant: original });
  });

  it("stores the largest seal", async () => {
    const original = grant();
    const sealed = "x".repeat(30_000);
    expectOk(await store.create({ grant: original, sealed: sealed }));
    expect(expectOk(await store.read(original.id))?.sealed).toBe(sealed);
  });

  it("may be written twice, because a retry after a lost answer must succeed", async () => {
    const original = grant();
    expectOk(await store.create({ grant: original, sealed: "sealed" }));
    expect(expectOk(await store.create({ grant: original, sealed: "sealed" })).sealed).toBe("sealed");
    expect(await rows()).toHaveLength(2);
    // The same id with other content.
    expect(await store.create({ grant: original, sealed: "other" })).toEqual({
      ok: false,
      failure: { kind: "grant_exists", grantId: original.id },
    });
  });

  it("that the service did not write is refused and does not hide other grants from a listing", async () => {
    const [good, bad] = [grant(), grant()];
    await store.create({ grant: good, sealed: "sealed" });
    await store.create({ grant: bad, sealed: "sealed" });
    await client().upsertEntity(
      { partitionKey: `grant-${bad.id.slice(0, 2)}`, rowKey: bad.id, sealed: "x" },
      "Replace",
    );
    expect(await store.read(bad.id)).toEqual({ ok: false, failure: { kind: "store_row_invalid" } });
    expect(expectOk(await store.list({ caller: userCaller, limit: 5 })).grants).toEqual([good]);
  });

  it.each(["apis", "bindingKind", "createdAtSeconds", "lastRedeemedAtSeconds"])(
    "is refused if %s was changed",
    async (column) => {
      const original = grant();
      await store.create({ grant: original, sealed: "sealed" });
      for (const value of column === "apis" ? BROKEN_LISTS : ["unexpected"]) {
        const keys = { partitionKey: `grant-${original.id.slice(0, 2)}`, rowKey: original.id };
        await client().updateEntity({ ...keys, [column]: value }, "Merge");
        expect(await store.read(original.id)).toEqual({ ok: false, failure: { kind: "store_row_invalid" } });
      }
    },
  );
});

describe("compare-and-swap", () => {
  it("accepts the first of two writers and returns changed to the second", async () => {
    const created = expectOk(await store.create({ grant: grant(), sealed: "one" }));
    const first = expectOk(await store.replace(created, { sealed: "two", lastRedeemedAtSeconds: 7 }));
    expect(first).toMatchObject({ sealed: "two", grant: { lastRedeemedAtSeconds: 7 } });
    expect(await open().replace(created, { sealed: "three", lastRedeemedAtSeconds: 8 })).toEqual({
      ok: true,
      value: "changed",
    });
    expect(expectOk(await store.read(created.grant.id))).toEqual(first);
  });

  it("does not restore a deleted grant", async () => {
    const created = expectOk(await store.create({ grant: grant(), sealed: "one" }));
    expect(await store.delete(created.grant)).toEqual({ ok: true, value: true });
    expect(await store.replace(created, { sealed: "two", lastRedeemedAtSeconds: 7 })).toEqual({
      ok: true,
      value: "gone",
    });
    expect(await rows()).toEqual([]);
  });
});

const APPLICATION = { kind: "application", tenantId: TENANT, clientId: CLIENT } as const;

describe("a requested grant", () => {
  const original = () => grant({ binding: APPLICATION });
  async function requested({ id, binding }: Grant, expiresAtSeconds = EPOCH_MS / 1000 + 60): Promise<StoredRequest> {
    expectOk(await store.request({ id, binding, expiresAtSeconds }, "sealed request"));
    const row = expectOk(await store.read(id));
    if (row === undefined || "grant" in row) throw new Error("not a requested grant");
    return row;
  }

  it("is read as it was written, is not listed, and no other grant can be created with its id", async () => {
    const one = original();
    const row = await requested(one);
    expect(row).toMatchObject({ requested: { id: one.id, binding: APPLICATION }, sealed: "sealed request" });
    expect(await rows()).toHaveLength(1);
    expect(expectOk(await store.list({ caller: applicationCaller, limit: 5 })).grants).toEqual([]);
    expect(await store.create({ grant: one, sealed: "sealed" })).toMatchObject({ failure: { kind: "grant_exists" } });
  });

  it("becomes a grant for the first of two answers, which both instances list", async () => {
    const one = original();
    const row = await requested(one);
    const [first, second] = [
      await store.allow(row, { grant: one, sealed: "first" }),
      await open().allow(row, { grant: one, sealed: "second" }),
    ];
    expect(expectOk(first)).toMatchObject({ grant: one, sealed: "first" });
    expect(second).toEqual({ ok: true, value: "changed" });
    // A retry after a lost answer finds its own row.
    expect(await store.allow(row, { grant: one, sealed: "first" })).toEqual(first);
    expect(expectOk(await open().list({ caller: applicationCaller, limit: 5 })).grants).toEqual([one]);
    expect(expectOk(await store.list({ caller: userCaller, onTheirBehalf: true, limit: 5 })).grants).toEqual([one]);
  });

  it("cannot become a grant after it was withdrawn", async () => {
    const one = original();
    const row = await requested(one);
    expect(await store.withdraw(row)).toEqual({ ok: true, value: "removed" });
    expect(await open().withdraw(row)).toEqual({ ok: true, value: "gone" });
    expect(await store.allow(row, { grant: one, sealed: "sealed" })).toEqual({ ok: true, value: "gone" });
    expect(await store.read(one.id)).toEqual({ ok: true, value: undefined });
  });

  it("is not withdrawn if a person allowed it in the meantime", async () => {
    const one = original();
    const row = await requested(one);
    expectOk(await store.allow(row, { grant: one, sealed: "sealed" }));
    expect(await store.withdraw(row)).toEqual({ ok: true, value: "changed" });
    expect(expectOk(await store.read(one.id))).toMatchObject({ grant: one });
  });

  it("is there again if its approval is undone, unless the row changed since", async () => {
    const one = original();
    const row = await requested(one);
    const allowed = swapped(await store.allow(row, { grant: one, sealed: "sealed" }));
    expect(await store.restore(allowed, row)).toEqual({ ok: true, value: true });
    expect(expectOk(await store.read(one.id))).toMatchObject({ requested: row.requested, sealed: "sealed request" });
    expect(expectOk(await store.list({ caller: applicationCaller, limit: 5 })).grants).toEqual([]);
    const again = swapped(await store.allow({ ...row, etag: "*" }, { grant: one, sealed: "sealed" }));
    expectOk(await store.replace(again, { sealed: "newer", lastRedeemedAtSeconds: 7 }));
    expect(await store.restore(again, row)).toEqual({ ok: true, value: false });
  });

  it("is deleted by the reaper after its expiry", async () => {
    const expiresAtSeconds = EPOCH_MS / 1000;
    await requested(original(), expiresAtSeconds);
    const reap = { limit: 5, dryRun: false };
    expect(expectOk(await store.reap({ ...reap, beforeSeconds: expiresAtSeconds }))).toMatchObject({ deleted: 0 });
    expect(expectOk(await store.reap({ ...reap, beforeSeconds: expiresAtSeconds + 1 }))).toMatchObject({ deleted: 1 });
    expect(await rows()).toEqual([]);
  });

  it.each([
    ["a column of a grant", { userObjectId: USER }],
    ["another kind of mark", { requested: "true" }],
    ["no sealed part", { sealed: "" }],
  ])("is refused with %s", async (_name, change) => {
    const one = original();
    await requested(one);
    const keys = { partitionKey: `grant-${one.id.slice(0, 2)}`, rowKey: one.id };
    await client().updateEntity({ ...keys, ...change }, "Merge");
    expect(await store.read(one.id)).toEqual({ ok: false, failure: { kind: "store_row_invalid" } });
  });

  it("and a grant cannot be told apart wrongly: a grant's row with the mark of a requested grant is refused", async () => {
    const one = original();
    await store.create({ grant: one, sealed: "sealed" });
    const keys = { partitionKey: `grant-${one.id.slice(0, 2)}`, rowKey: one.id };
    await client().updateEntity({ ...keys, requested: true }, "Merge");
    expect(await store.read(one.id)).toEqual({ ok: false, failure: { kind: "store_row_invalid" } });
  });
});

function swapped(result: Awaited<ReturnType<GrantStore["allow"]>>): StoredGrant {
  const value = expectOk(result);
  if (typeof value === "string") throw new Error(value);
  return value;
}

describe("a grant that a person allows again", () => {
  it("keeps its id and its place in listings, and the reaper leaves it", async () => {
    const expiresAtSeconds = EPOCH_MS / 1000 - 1;
    const old = grant({ binding: APPLICATION, expiresAtSeconds });
    const created = expectOk(await store.create({ grant: old, sealed: "old" }));
    const renewed = { ...old, allowedAtSeconds: EPOCH_MS / 1000 + 5, expiresAtSeconds: EPOCH_MS / 1000 + DAY_MS };
    expectOk(await store.allow(created, { grant: renewed, sealed: "new" }));
    expect(await rows()).toHaveLength(3);
    expect(expectOk(await store.list({ caller: applicationCaller, limit: 5 })).grants).toEqual([renewed]);
    const reap = { beforeSeconds: EPOCH_MS / 1000, limit: 50, dryRun: false };
    expect(expectOk(await store.reap(reap))).toMatchObject({ expired: 0 });
    expect(await rows()).toHaveLength(3);
  });

  it("between the reaper's query and its deletion is not deleted", async () => {
    const expiresAtSeconds = EPOCH_MS / 1000 - 1;
    const old = grant({ expiresAtSeconds });
    const created = expectOk(await store.create({ grant: old, sealed: "old" }));
    const renewed = { ...old, expiresAtSeconds: EPOCH_MS / 1000 + DAY_MS };
    const table = client();
    let calls = 0;
    // The query is the first call; the deletions follow.
    const late = toGrantTable(table, async (operation) => {
      calls += 1;
      if (calls === 2) expectOk(await store.allow(created, { grant: renewed, sealed: "new" }));
      return callTable(operation, deadlineMs);
    });
    const report = expectOk(await reapRows(late, { beforeSeconds: EPOCH_MS / 1000, limit: 50, dryRun: false }));
    expect(report).toMatchObject({ expired: 2, deleted: 0, failed: 0 });
    expect(expectOk(await store.read(old.id))).toMatchObject({ grant: renewed });
    expect(expectOk(await store.list({ caller: userCaller, limit: 5 })).grants).toEqual([renewed]);
  });
});

describe("listing", () => {
  it("includes the grants that applications have on a person's behalf, newest first across pages, and deletion removes every entry", async () => {
    const start = EPOCH_MS / 1000;
    const all = Array.from({ length: 7 }, (_, age) => {
      const kind = age % 2 === 0 ? ("application" as const) : ("user" as const);
      const clientId = kind === "application" ? OTHER : CLIENT;
      return grant({ createdAtSeconds: start - age, binding: { kind, tenantId: TENANT, clientId } });
    });
    for (const one of all) await store.create({ grant: one, sealed: "sealed" });
    await store.create({
      grant: grant({
        user: { tenantId: TENANT, objectId: OTHER },
        binding: { kind: "application", tenantId: TENANT, clientId: OTHER },
      }),
      sealed: "of another user",
    });
    const found: Grant[] = [];
    let after: string | undefined;
    do {
      const request = { caller: userCaller, limit: 2, onTheirBehalf: true, ...(after === undefined ? {} : { after }) };
      const page = expectOk(await store.list(request));
      found.push(...page.grants);
      after = page.next;
    } while (after !== undefined);
    expect(found).toEqual(all);
    expect(expectOk(await store.list({ caller: userCaller, limit: 9 })).grants).toEqual(
      all.filter(({ binding }) => binding.kind === "user"),
    );
    for (const one of all) expect(await store.delete(one)).toEqual({ ok: true, value: true });
    expect(await rows()).toHaveLength(3);
  });

  it("returns a user's grants through one client, and all grants of an application", async () => {
    const bindings = [
      grant(),
      grant({ user: { tenantId: TENANT, objectId: OTHER } }),
      grant({ binding: { kind: "user", tenantId: TENANT, clientId: OTHER } }),
      grant({ binding: { kind: "application", tenantId: TENANT, clientId: CLIENT } }),
      grant({
        binding: { kind: "application", tenantId: TENANT, clientId: CLIENT },
        user: { tenantId: TENANT, objectId: OTHER },
      }),
      grant({ binding: { kind: "application", tenantId: TENANT, clientId: OTHER } }),
    ];
    for (const one of bindings) await store.create({ grant: one, sealed: "sealed" });
    const ids = async (caller: typeof userCaller) =>
      expectOk(await store.list({ caller, limit: 50 }))
        .grants.map((one) => one.id)
        .sort();
    expect(await ids(userCaller)).toEqual([bindings[0]?.id]);
    expect(await ids(applicationCaller)).toEqual([bindings[3]?.id, bindings[4]?.id].sort());
    expect(await ids({ ...applicationCaller, tenantId: OTHER })).toEqual([]);
  });

  it("returns all grants across pages, newest first, without repetition", async () => {
    const made = Array.from({ length: 23 }, (_, at) =>
      grant({ createdAtSeconds: EPOCH_MS / 1000 + Math.floor(at / 2) }),
    );
    await Promise.all(made.map((one) => store.create({ grant: one, sealed: "sealed" })));
    const seen: Grant[] = [];
    let after: string | undefined;
    let pages = 0;
    do {
      const page = expectOk(
        await store.list({ caller: userCaller, limit: 10, ...(after === undefined ? {} : { after }) }),
      );
      expect(page.grants.length).toBeLessThanOrEqual(10);
      seen.push(...page.grants);
      after = page.next;
      pages += 1;
    } while (after !== undefined);
    expect(pages).toBe(3);
    expect(seen.map((one) => one.id).sort()).toEqual(made.map((one) => one.id).sort());
    const times = seen.map((one) => one.createdAtSeconds);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });

  it.each([0, -1, 51, 10_000])("limits the size of a page: %i requested", async (limit) => {
    await store.create({ grant: grant(), sealed: "sealed" });
    await store.create({ grant: grant(), sealed: "sealed" });
    const { grants } = expectOk(await store.list({ caller: userCaller, limit }));
    expect(grants).toHaveLength(limit < 1 ? 1 : 2);
  });

  it("skips an index entry whose grant does not exist", async () => {
    const [good, gone] = [grant(), grant()];
    await store.create({ grant: good, sealed: "sealed" });
    await store.create({ grant: gone, sealed: "sealed" });
    await client().deleteEntity(`grant-${gone.id.slice(0, 2)}`, gone.id);
    expect(expectOk(await store.list({ caller: userCaller, limit: 5 })).grants).toEqual([good]);
  });

  it.each(["", "x", "0000000000-abc", `8199999999-${"a".repeat(64)}'`, `8199999999-${"A".repeat(64)}`])(
    "refuses a cursor that is not the next of a page: %j",
    async (after) => {
      expect(await store.list({ caller: userCaller, limit: 5, after })).toEqual({
        ok: false,
        failure: { kind: "page_invalid" },
      });
    },
  );
});

describe("reaping", () => {
  const beforeSeconds = EPOCH_MS / 1000;
  const expired = () => grant({ expiresAtSeconds: beforeSeconds - 1 });

  it("counts in a dry run, then deletes only expired rows", async () => {
    const live = [grant(), grant({ expiresAtSeconds: beforeSeconds })];
    for (const one of [...live, expired(), expired(), expired()]) await store.create({ grant: one, sealed: "sealed" });
    const dry = await store.reap({ beforeSeconds, limit: 100, dryRun: true });
    expect(dry).toEqual({ ok: true, value: { expired: 6, deleted: 0, failed: 0, more: false } });
    expect(await rows()).toHaveLength(10);
    const real = await store.reap({ beforeSeconds, limit: 100, dryRun: false });
    expect(real).toEqual({ ok: true, value: { expired: 6, deleted: 6, failed: 0, more: false } });
    expect(
      expectOk(await store.list({ caller: userCaller, limit: 50 }))
        .grants.map((one) => one.id)
        .sort(),
    ).toEqual(live.map((one) => one.id).sort());
    expect(await rows()).toHaveLength(4);
  });

  it("stops at its limit and reports that there is more", async () => {
    for (let made = 0; made < 4; made += 1) await store.create({ grant: expired(), sealed: "sealed" });
    expect(expectOk(await store.reap({ beforeSeconds, limit: 5, dryRun: false }))).toMatchObject({
      deleted: 5,
      more: true,
    });
    expect(expectOk(await store.reap({ beforeSeconds, limit: 5, dryRun: false }))).toMatchObject({
      deleted: 3,
      more: false,
    });
    expect(await rows()).toEqual([]);
  });

  it("deletes more than one page of rows", async () => {
    const keys = Array.from({ length: 230 }, (_, at) => String(at).padStart(4, "0"));
    await store.create({ grant: grant(), sealed: "sealed" });
    await Promise.all(
      keys.map((rowKey) =>
        client().createEntity({ partitionKey: "user-x", rowKey, expiresAtSeconds: { type: "Int64", value: "1" } }),
      ),
    );
    expect(expectOk(await store.reap({ beforeSeconds, limit: 1_000, dryRun: false }))).toMatchObject({
      deleted: 230,
      more: false,
    });
    expect(await rows()).toHaveLength(2);
  });

  it("does not fail if another run was faster", async () => {
    for (let made = 0; made < 5; made += 1) await store.create({ grant: expired(), sealed: "sealed" });
    const runs = await Promise.all([1, 2].map(() => open().reap({ beforeSeconds, limit: 100, dryRun: false })));
    expect(runs.map((run) => expectOk(run).failed)).toEqual([0, 0]);
    expect(await rows()).toEqual([]);
  });
});

describe("several instances with one table", () => {
  const instance = (source: ReturnType<typeof fakeKeySource>) =>
    createGrants({ store: open(), ...testSealers(source), now: () => EPOCH_MS });

  it("redeem at the same time without losing the refresh token, in any order of their writes", async () => {
    const source = fakeKeySource();
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 4 }), async (scheduler, count) => {
        const { handle, grant: created } = expectOk(await instance(source).create(grantRequest()));
        const opened = await Promise.all(
          Array.from({ length: count }, async () => {
            const grants = instance(source);
            return { grants, grant: expectOk(await grants.open(handle, userCaller)) };
          }),
        );
        const writes = opened.map(({ grants, grant }, at) =>
          scheduler
            .schedule(Promise.resolve(at))
            .then(() => grants.storeNewer(grant, new SecretValue(`token-${at}`), BY_CALLER)),
        );
        await scheduler.waitAll();
        for (const write of await Promise.all(writes)) expect(write.ok).toBe(true);

        // Exactly one of the newer tokens is stored, it can be unsealed, and the next one replaces it.
        const grants = instance(source);
        const after = expectOk(await grants.open(handle, userCaller));
        expect(after.refreshToken.reveal()).toMatch(/^token-\d$/);
        expectOk(await grants.storeNewer(after, new SecretValue("next"), BY_CALLER));
        expect(expectOk(await grants.open(handle, userCaller)).refreshToken.reveal()).toBe("next");
        expect(expectOk(await grants.revokeById(created.id, userCaller))?.id).toBe(created.id);
      }),
      { numRuns: 15 },
    );
  });

  it("store no handle and no refresh token, in any key or column", async () => {
    const source = fakeKeySource();
    const { handle } = expectOk(await instance(source).create(grantRequest()));
    const grants = instance(source);
    expectOk(
      await grants.storeNewer(
        expectOk(await grants.open(handle, userCaller)),
        new SecretValue("AnotherSecretToken"),
        BY_CALLER,
      ),
    );
    const everything = JSON.stringify(await rows(), (_key, value) =>
      typeof value === "bigint" ? String(value) : value,
    );
    expect(everything).toContain("grant-");
    for (const secret of [handle.reveal(), handle.reveal().slice(4), "AVerySecretRefreshToken", "AnotherSecretToken"]) {
      expect(everything).not.toContain(secret);
      expect(everything).not.toContain(Buffer.from(secret).toString("base64url"));
    }
  });
});

describe("the table client", () => {
  const identity = { getToken: async () => ({ token: "t", expiresOnTimestamp: 0 }) };

  it.each([
    ["public", "http://account.table.core.windows.net", identity],
    ["public", "http://127.0.0.1:10002/devstoreaccount1", undefined],
    ["public", "https://account.table.core.windows.net", undefined],
    ["usgov", "https://account.table.core.usgovcloudapi.net", undefined],
    ["local", "http://account.table.core.windows.net", undefined],
    ["local", "http://192.0.2.1:10002/devstoreaccount1", undefined],
  ] as const)("throws for %s at %s with identity %o", (cloudName, tableEndpoint, who) => {
    expect(() => createTableClient({ cloudName, tableEndpoint, tableName: "grants", identity: who })).toThrow(
      TypeError,
    );
  });

  it("uses the service's identity in Azure", () => {
    const made = createTableClient({
      cloudName: "public",
      tableEndpoint: "https://account.table.core.windows.net",
      tableName: "grants",
      identity,
    });
    expect(made).toBeInstanceOf(TableClient);
  });
});
