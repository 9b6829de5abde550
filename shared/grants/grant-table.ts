/** The table with its deadline: what every file uses that reads or writes rows. */
import type { TableClient, TableEntityResult } from "@azure/data-tables";
import { GRANT_STORE_DEADLINE_MS } from "../core/limits.ts";
import { type Result, succeed } from "../core/result.ts";
import type { GrantStoreFailure } from "./grant-types.ts";
import { callTable, type TableOutcome } from "./table-call.ts";
import { createTableClient, type TableClientInput } from "./table-client.ts";

/** Every operation goes through `call`, which adds the deadline and maps failures. */
export interface GrantTable {
  readonly client: TableClient;
  call<T>(operation: (abortSignal: AbortSignal) => Promise<T>): Promise<Result<TableOutcome<T>, GrantStoreFailure>>;
  /** One operation with its own deadline, so that a long search can finish. A table that does not exist yet has no rows. */
  page(query: PageQuery): Promise<Result<TablePage, GrantStoreFailure>>;
}

export interface PageQuery {
  /** OData. */
  readonly filter: string;
  /** Default: every column. */
  readonly select?: readonly string[];
  /** Default: as many as the table service returns at once, 1,000. */
  readonly maxRows?: number;
  /** Of the previous page. */
  readonly continuation: string | undefined;
}

export interface TablePage {
  /** Can be empty before the last page, while the table service searches. */
  readonly rows: readonly TableEntityResult<Record<string, unknown>>[];
  /** Undefined: this is the last page. */
  readonly continuation: string | undefined;
}

export interface GrantTableInput extends TableClientInput {
  /** For tests; normally `GRANT_STORE_DEADLINE_MS`. */
  readonly deadlineMs?: number;
}

export function openGrantTable({ deadlineMs = GRANT_STORE_DEADLINE_MS, ...input }: GrantTableInput): GrantTable {
  return toGrantTable(createTableClient(input), (operation) => callTable(operation, deadlineMs));
}

export function toGrantTable(client: TableClient, call: GrantTable["call"]): GrantTable {
  return { client, call, page: (query) => readPage({ client, call }, query) };
}

// ---------------------------------------------------------------------------------------------------------------

const NO_ROWS: TablePage = { rows: [], continuation: undefined };

async function readPage(
  { client, call }: Pick<GrantTable, "client" | "call">,
  { filter, select, maxRows, continuation }: PageQuery,
): Promise<Result<TablePage, GrantStoreFailure>> {
  const queryOptions = { filter, ...(select === undefined ? {} : { select: [...select] }) };
  const settings = {
    ...(maxRows === undefined ? {} : { maxPageSize: maxRows }),
    ...(continuation === undefined ? {} : { continuationToken: continuation }),
  };
  const queried = await call(async (abortSignal): Promise<TablePage> => {
    for await (const rows of client.listEntities({ queryOptions, abortSignal }).byPage(settings)) {
      return { rows, continuation: rows.continuationToken };
    }
    return NO_ROWS;
  });
  if (!queried.ok) return queried;
  return succeed(queried.value.done ? queried.value.value : NO_ROWS);
}
