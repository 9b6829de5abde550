/** The marks of administrators in the real table service. */
import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, inject, test } from "vitest";
import type { RevocationTarget } from "../../../shared/core/revocation.ts";
import { openGrantTable } from "../../../shared/grants/grant-table.ts";
import type { MarkStore, RevocationMark } from "../../../shared/grants/mark-store.ts";
import { createTableMarkStore } from "../../../shared/grants/table-mark-store.ts";
import { newTableName } from "../../support/table-rows.ts";

let tableName: string;
beforeEach(() => {
  tableName = newTableName();
});

function open(marksMax?: number): MarkStore {
  const tableEndpoint = inject("tables").url;
  const table = openGrantTable({ cloudName: "local", tableEndpoint, tableName, identity: undefined });
  return createTableMarkStore(table, marksMax);
}

function mark(target: RevocationTarget, notBeforeSeconds = 100): RevocationMark {
  const by = { clientId: "client", objectId: "object" };
  return { id: randomUUID(), ...target, notBeforeSeconds, reason: "drill", createdAtSeconds: 95, by };
}

async function marksOf(store: MarkStore) {
  const read = await store.read(undefined);
  if (!read.ok || read.value === "unchanged") throw new Error("not read");
  return read.value;
}

describe("the store of marks", () => {
  test("has none before the table exists", async () => {
    expect((await marksOf(open())).marks).toEqual([]);
  });

  test("another instance reads a mark as it was written, and then reads that nothing changed", async () => {
    const written = mark({ kind: "person", key: "a11ce" });
    expect(await open().add(written)).toEqual({ ok: true, value: true });
    const other = open();
    const { version, marks } = await marksOf(other);
    expect(marks).toEqual([written]);
    expect(await other.read(version)).toEqual({ ok: true, value: "unchanged" });
    await open().add(mark({ kind: "api", key: "graph" }));
    expect(await other.read(version)).toMatchObject({ ok: true, value: { marks: { length: 2 } } });
  });

  test("a newer mark of the same target replaces the older one, and everything replaces all", async () => {
    const store = open();
    await store.add(mark({ kind: "person", key: "a" }, 100));
    await store.add(mark({ kind: "person", key: "a" }, 200));
    await store.add(mark({ kind: "person", key: "b" }, 150));
    expect(
      (await marksOf(store)).marks.map(({ key, notBeforeSeconds }) => `${key} ${notBeforeSeconds}`).sort(),
    ).toEqual(["a 200", "b 150"]);
    await store.add(mark({ kind: "everything", key: "" }, 300));
    expect((await marksOf(store)).marks.map(({ kind }) => kind)).toEqual(["everything"]);
  });

  test("a full store refuses a further target, and still takes everything", async () => {
    const store = open(2);
    await store.add(mark({ kind: "person", key: "a" }));
    await store.add(mark({ kind: "person", key: "b" }));
    expect(await store.add(mark({ kind: "person", key: "c" }))).toEqual({ ok: false, failure: { kind: "marks_full" } });
    expect(await store.add(mark({ kind: "person", key: "a" }, 101))).toMatchObject({ ok: true });
    expect(await store.add(mark({ kind: "everything", key: "" }, 102))).toMatchObject({ ok: true });
  });
});
