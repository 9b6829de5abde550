/**
 * The events that wait for a receiver, as rows of the grant table in a partition of their own. One row for each event
 * and receiver; its key is the id of the event, so an event that is reported again while it waits makes no second row.
 * A row is deleted when the receiver has the event. If no timer sends events any more, because the settings name no
 * receiver, the reaper of grants deletes the rows: they have its column. No SDK import: the table is given.
 */
import { fail, type Result, succeed } from "../core/result.ts";
import type { GrantTable } from "../grants/grant-table.ts";
import type { GrantStoreFailure } from "../grants/grant-types.ts";
import type { OutgoingEvent, TargetName } from "./event-target.ts";

/** An event that waits. */
export interface WaitingEvent extends OutgoingEvent {
  readonly target: TargetName;
  /** Seconds since 1970. */
  readonly createdAtSeconds: number;
  /** Attempts that have failed. The first one is made at once. */
  readonly attempts: number;
}

export interface Outbox {
  /** False: it waits already. */
  add(event: WaitingEvent, nextAttemptAtSeconds: number): Promise<Result<boolean, GrantStoreFailure>>;
  /** For each receiver at most `limit` events whose next attempt is due, so that no receiver's events hide another's. */
  due(nowSeconds: number, limit: number): Promise<Result<readonly WaitingEvent[], GrantStoreFailure>>;
  /** Counts a failed attempt. */
  postpone(event: WaitingEvent, nextAttemptAtSeconds: number): Promise<Result<unknown, GrantStoreFailure>>;
  remove(event: Pick<WaitingEvent, "target" | "id">): Promise<Result<unknown, GrantStoreFailure>>;
  /** The oldest ones, if more than `max` events wait. */
  surplus(max: number): Promise<Result<readonly Pick<WaitingEvent, "target" | "id">[], GrantStoreFailure>>;
}

/** After this time the event is given up. The next call with the grant gets the same refusal. */
export const GIVE_UP_SECONDS = 24 * 3_600;

/** The names of the grant rows' partitions begin otherwise. */
const PARTITION = "events";
const TARGETS: readonly TargetName[] = ["event-grid", "webhook"];
/** What the table service returns at most in one page. */
const PAGE_ROWS = 1_000;

export function createOutbox(table: GrantTable): Outbox {
  return {
    async add(event, nextAttemptAtSeconds) {
      const created = await table.call((abortSignal) =>
        table.client.createEntity(toRow(event, nextAttemptAtSeconds), { abortSignal }),
      );
      if (!created.ok) return created;
      if (created.value.done) return succeed(true);
      const { state } = created.value;
      return state === "row_exists" ? succeed(false) : fail({ kind: "store_unavailable", code: state });
    },
    async due(nowSeconds, limit) {
      const events: WaitingEvent[] = [];
      for (const target of TARGETS) {
        const filter = `PartitionKey eq '${PARTITION}' and target eq '${target}' and nextAttemptAtSeconds le ${nowSeconds}L`;
        const found = await listRows(table, filter, limit);
        if (!found.ok) return found;
        events.push(...found.value.flatMap((row) => readRow(row) ?? []));
      }
      return succeed(events);
    },
    postpone: ({ target, id, attempts }, nextAttemptAtSeconds) =>
      table.call((abortSignal) =>
        table.client.updateEntity(
          { ...keysOf({ target, id }), attempts: attempts + 1, nextAttemptAtSeconds: int64(nextAttemptAtSeconds) },
          "Merge",
          { abortSignal },
        ),
      ),
    remove(event) {
      const { partitionKey, rowKey } = keysOf(event);
      return table.call((abortSignal) => table.client.deleteEntity(partitionKey, rowKey, { abortSignal }));
    },
    async surplus(max) {
      const found = await listRows(table, `PartitionKey eq '${PARTITION}'`, max + PAGE_ROWS);
      if (!found.ok) return found;
      const waiting = found.value.flatMap((row) => readRow(row) ?? []);
      return succeed(waiting.sort(oldestFirst).slice(0, Math.max(0, waiting.length - max)));
    },
  };
}

export function oldestFirst(one: WaitingEvent, other: WaitingEvent): number {
  return one.createdAtSeconds - other.createdAtSeconds;
}

// ---------------------------------------------------------------------------------------------------------------

type Row = Readonly<Record<string, unknown>>;

function keysOf({ target, id }: Pick<WaitingEvent, "target" | "id">) {
  return { partitionKey: PARTITION, rowKey: `${target}-${id}` };
}

function toRow(event: WaitingEvent, nextAttemptAtSeconds: number) {
  const { target, id, text, createdAtSeconds, attempts } = event;
  return {
    ...keysOf(event),
    target,
    eventId: id,
    text,
    createdAtSeconds: int64(createdAtSeconds),
    expiresAtSeconds: int64(createdAtSeconds + GIVE_UP_SECONDS),
    nextAttemptAtSeconds: int64(nextAttemptAtSeconds),
    attempts,
  };
}

/** Undefined: the service did not write this row. */
function readRow({ target, eventId, text, createdAtSeconds, attempts }: Row): WaitingEvent | undefined {
  const known = TARGETS.find((name) => name === target);
  const isComplete =
    typeof eventId === "string" &&
    typeof text === "string" &&
    typeof createdAtSeconds === "bigint" &&
    typeof attempts === "number";
  return known !== undefined && isComplete
    ? { target: known, id: eventId, text, createdAtSeconds: Number(createdAtSeconds), attempts }
    : undefined;
}

async function listRows(
  table: GrantTable,
  filter: string,
  limit: number,
): Promise<Result<readonly Row[], GrantStoreFailure>> {
  const rows: Row[] = [];
  let continuation: string | undefined;
  do {
    const page = await table.page({ filter, maxRows: PAGE_ROWS, continuation });
    if (!page.ok) return page;
    rows.push(...page.value.rows);
    continuation = page.value.continuation;
  } while (continuation !== undefined && rows.length < limit);
  return succeed(rows.slice(0, limit));
}

function int64(value: number) {
  return { type: "Int64", value: String(value) } as const;
}
