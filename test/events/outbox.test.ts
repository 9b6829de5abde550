/** The rows of events that wait, in a real table service. */
import { expect, inject, test } from "vitest";
import { createOutbox, type WaitingEvent } from "../../shared/events/outbox.ts";
import { openGrantTable, toGrantTable } from "../../shared/grants/grant-table.ts";
import { createTableGrantStore } from "../../shared/grants/table-grant-store.ts";
import { newTableName } from "../support/table-rows.ts";

const NOW = 1_796_000_000;

async function setUp({ hasTable = true } = {}) {
  const input = {
    cloudName: "local" as const,
    tableEndpoint: inject("tables").url,
    tableName: newTableName(),
    identity: undefined,
  };
  const table = openGrantTable(input);
  const { client } = table;
  if (hasTable) await client.createTable();
  return { client, store: createTableGrantStore(table), outbox: createOutbox(table) };
}

const event = (id: string, changes: Partial<WaitingEvent> = {}): WaitingEvent => ({
  target: "webhook",
  id,
  text: `{"id":"${id}"}`,
  createdAtSeconds: NOW,
  attempts: 0,
  ...changes,
});

test("an event waits once for each receiver, is due at its time, and is gone after its removal", async () => {
  const { outbox } = await setUp();
  expect(await outbox.add(event("a"), NOW + 60)).toEqual({ ok: true, value: true });
  expect(await outbox.add(event("a"), NOW + 90)).toEqual({ ok: true, value: false });
  expect(await outbox.add(event("a", { target: "event-grid" }), NOW + 90)).toEqual({ ok: true, value: true });
  expect(await outbox.due(NOW + 59, 10)).toEqual({ ok: true, value: [] });
  expect(await outbox.due(NOW + 60, 10)).toEqual({ ok: true, value: [event("a")] });
  await outbox.postpone(event("a"), NOW + 200);
  expect(await outbox.due(NOW + 199, 10)).toEqual({ ok: true, value: [event("a", { target: "event-grid" })] });
  await outbox.remove({ target: "event-grid", id: "a" });
  expect(await outbox.due(NOW + 200, 10)).toEqual({ ok: true, value: [event("a", { attempts: 1 })] });
  await outbox.remove({ target: "webhook", id: "a" });
  expect(await outbox.due(NOW + 200, 10)).toEqual({ ok: true, value: [] });
  // Another run of the timer removed it: nothing to do.
  expect((await outbox.remove({ target: "webhook", id: "a" })).ok).toBe(true);
  expect((await outbox.postpone(event("a"), NOW)).ok).toBe(true);
  expect(await outbox.due(NOW + 200, 10)).toEqual({ ok: true, value: [] });
});

test("the events of one receiver do not keep those of the other from the timer", async () => {
  const { outbox } = await setUp();
  for (const id of ["a", "b", "c"]) await outbox.add(event(id, { target: "event-grid" }), NOW);
  await outbox.add(event("d"), NOW);
  const due = await outbox.due(NOW, 2);
  expect(due.ok && due.value.map(({ id }) => id)).toEqual(["a", "b", "d"]);
});

test("the oldest events are the surplus", async () => {
  const { outbox } = await setUp();
  for (const [index, id] of ["c", "a", "d", "b"].entries()) {
    await outbox.add(event(id, { createdAtSeconds: NOW + index }), NOW);
  }
  expect(await outbox.surplus(4)).toEqual({ ok: true, value: [] });
  const surplus = await outbox.surplus(2);
  expect(surplus.ok && surplus.value.map(({ id }) => id)).toEqual(["c", "a"]);
  expect((await outbox.due(NOW, 3)).ok && (await outbox.due(NOW, 3))).toMatchObject({ value: { length: 3 } });
});

test("a row that the service did not write is skipped, and the reaper of grants deletes an event that no timer sends", async () => {
  const { client, store, outbox } = await setUp();
  await client.createEntity({
    partitionKey: "events",
    rowKey: "x",
    nextAttemptAtSeconds: { type: "Int64", value: "1" },
  });
  await outbox.add(event("a"), NOW);
  expect(await outbox.due(NOW, 10)).toEqual({ ok: true, value: [event("a")] });
  const reap = (beforeSeconds: number) => store.reap({ beforeSeconds, limit: 100, dryRun: false });
  expect(await reap(NOW + 24 * 3_600)).toMatchObject({ ok: true, value: { expired: 0, deleted: 0 } });
  expect(await outbox.due(NOW, 10)).toEqual({ ok: true, value: [event("a")] });
  expect(await reap(NOW + 24 * 3_600 + 1)).toMatchObject({ ok: true, value: { expired: 1, deleted: 1 } });
  expect(await outbox.due(NOW, 10)).toEqual({ ok: true, value: [] });
});

test("all pages of the table service are read, up to the limit", async () => {
  const { client, outbox } = await setUp();
  const all = Array.from({ length: 1_100 }, (_, at) => event(`id-${String(at).padStart(4, "0")}`));
  for (let from = 0; from < all.length; from += 100) {
    const rows = all.slice(from, from + 100).map(({ id, target, text }) => ({
      ...{ partitionKey: "events", rowKey: `${target}-${id}`, target, eventId: id, text, attempts: 0 },
      createdAtSeconds: { type: "Int64", value: String(NOW) },
      nextAttemptAtSeconds: { type: "Int64", value: String(NOW) },
    }));
    await client.submitTransaction(rows.map((row) => ["create", row]));
  }
  const lengthOf = async (limit: number) => {
    const due = await outbox.due(NOW, limit);
    return due.ok ? due.value.length : due.failure.kind;
  };
  expect([await lengthOf(2_000), await lengthOf(1_050), await lengthOf(500)]).toEqual([1_100, 1_050, 500]);
  expect(await outbox.surplus(1_000)).toMatchObject({ ok: true, value: { length: 100 } });
});

test("a table that does not answer is a failure of each operation", async () => {
  const { client } = await setUp();
  const failure = { ok: false, failure: { kind: "store_timeout" } } as const;
  const outbox = createOutbox(toGrantTable(client, async () => failure));
  expect([await outbox.add(event("a"), NOW), await outbox.due(NOW, 1), await outbox.surplus(1)]).toEqual([
    failure,
    failure,
    failure,
  ]);
});

test("without a table no event waits, and adding one fails", async () => {
  const { outbox } = await setUp({ hasTable: false });
  expect(await outbox.due(NOW, 10)).toEqual({ ok: true, value: [] });
  expect(await outbox.add(event("a"), NOW)).toEqual({
    ok: false,
    failure: { kind: "store_unavailable", code: "table_missing" },
  });
});
