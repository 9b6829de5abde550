/**
 * Grants by person, caller, entry, API or id, for administrators. The index serves owners only, so this reads the grant
 * rows themselves, in sixteen parts by the first digit of the id. A position is the id after which a page begins.
 * Bounded in time: a page may be short, or empty, and still name a next one.
 */
import { odata } from "@azure/data-tables";
import type { Grant } from "../core/grant.ts";
import { type Result, succeed } from "../core/result.ts";
import type { RevocationTarget } from "../core/revocation.ts";
import { type GrantRow, readGrantRow } from "./grant-row.ts";
import type { GrantTable } from "./grant-table.ts";
import type { GrantPage, GrantStoreFailure } from "./grant-types.ts";

export interface SearchGrants {
  readonly target: RevocationTarget;
  /** Grants that ended before are left out, seconds since 1970. */
  readonly liveAtSeconds: number;
  /** Only grants that were allowed until then. */
  readonly allowedUntilSeconds?: number | undefined;
  readonly limit: number;
  /** `next` of the previous page: the id of a grant, or a position between grants. */
  readonly after?: string | undefined;
}

/** Every column of a grant except the sealed ones, which no search needs. */
const COLUMNS: Readonly<Record<Exclude<keyof GrantRow, "sealed" | "sealedHandle">, true>> = {
  partitionKey: true,
  rowKey: true,
  bindingKind: true,
  bindingTenantId: true,
  bindingClientId: true,
  registration: true,
  userTenantId: true,
  userObjectId: true,
  apis: true,
  policyEntry: true,
  requestedByUser: true,
  requestedByClientId: true,
  createdAtSeconds: true,
  allowedAtSeconds: true,
  expiresAtSeconds: true,
  codeChallenge: true,
  verifiedAtSeconds: true,
  lastRedeemedAtSeconds: true,
  lastRenewedAtSeconds: true,
  lastErrorCode: true,
  lastErrorAtSeconds: true,
  deadSinceSeconds: true,
  expiringReportedAtSeconds: true,
  keepAliveAfterSeconds: true,
  confirmation: true,
  declinedConfirmation: true,
};
const DIGITS = "0123456789abcdef";
const ROWS_PER_PAGE = 1_000;
/** Service pages of one search: 40,000 rows that match what the table service can compare. */
const PAGES_MAX = 40;

export async function searchGrants(
  table: GrantTable,
  request: SearchGrants,
): Promise<Result<GrantPage, GrantStoreFailure>> {
  const { limit } = request;
  const found: Grant[] = [];
  let pages = 0;
  for await (const page of readPages(table, request)) {
    if (!page.ok) return page;
    const { grants, position, more } = page.value;
    found.push(...grants);
    if (found.length > limit) return succeed({ grants: found.slice(0, limit), next: found[limit - 1]?.id });
    pages += 1;
    if (pages >= PAGES_MAX && more) return succeed({ grants: found, next: position });
  }
  return succeed({ grants: found, next: undefined });
}

// ---------------------------------------------------------------------------------------------------------------

interface Page {
  readonly grants: readonly Grant[];
  /** The id after which the next page begins. */
  readonly position: string;
  readonly more: boolean;
}

async function* readPages(
  table: GrantTable,
  request: SearchGrants,
): AsyncGenerator<Result<Page, GrantStoreFailure>, void, undefined> {
  for (const digit of digitsOf(request)) {
    let token: string | undefined;
    do {
      const page = await readRows(table, request, { digit, token });
      if (!page.ok) {
        yield page;
        return;
      }
      const { grants, lastId } = page.value;
      token = page.value.token;
      const more = token !== undefined || digit !== "f";
      yield succeed({ grants, position: lastId ?? startOf(digit), more });
    } while (token !== undefined);
  }
}

/** The parts of the table that can have a match. */
function digitsOf({ target, after = "" }: SearchGrants): readonly string[] {
  if (target.kind === "grant") return [target.key.slice(0, 1)];
  return [...DIGITS].filter((digit) => digit >= after.slice(0, 1));
}

interface Part {
  readonly digit: string;
  readonly token: string | undefined;
}

/** A position before every id with this first digit. */
function startOf(digit: string): string {
  return digit.padEnd(64, "0");
}

/** Values go through the SDK's quoting, although their forms were checked: none of them has a quotation mark. */
function filterOf({ target, liveAtSeconds, allowedUntilSeconds, after = "" }: SearchGrants, digit: string): string {
  const from = after.startsWith(digit) ? `grant-${after.slice(0, 2)}` : `grant-${digit}`;
  const rows = odata`PartitionKey ge ${from} and PartitionKey lt ${`grant-${digit}g`} and RowKey gt ${after}`;
  const live = `${rows} and expiresAtSeconds gt ${liveAtSeconds}L`;
  const allowed = allowedUntilSeconds === undefined ? "" : ` and allowedAtSeconds le ${allowedUntilSeconds}L`;
  return `${live}${allowed}${columnFilter(target)}`;
}

function columnFilter({ kind, key }: RevocationTarget): string {
  switch (kind) {
    case "person":
      return odata` and userObjectId eq ${key}`;
    case "caller":
      return odata` and bindingClientId eq ${key}`;
    case "entry":
      return odata` and policyEntry eq ${key}`;
    case "grant":
      return odata` and RowKey eq ${key}`;
    // The list of APIs is one column, which the table service cannot search.
    case "api":
    case "everything":
      return "";
  }
}

interface Rows {
  readonly grants: readonly Grant[];
  readonly lastId: string | undefined;
  readonly token: string | undefined;
}

async function readRows(
  table: GrantTable,
  request: SearchGrants,
  { digit, token }: Part,
): Promise<Result<Rows, GrantStoreFailure>> {
  const page = await table.page({
    filter: filterOf(request, digit),
    select: Object.keys(COLUMNS),
    maxRows: ROWS_PER_PAGE,
    continuation: token,
  });
  if (!page.ok) return page;
  const { rows, continuation } = page.value;
  const grants = rows.flatMap((row) => toGrant(row, request.target));
  return succeed({ grants, lastId: rows.at(-1)?.rowKey, token: continuation });
}

/** None: a requested grant, a row that the service did not write, or a grant without the API. */
function toGrant(row: Readonly<Record<string, unknown>>, { kind, key }: RevocationTarget): Grant[] {
  const grant = readGrantRow({ ...row, sealed: "-" })?.grant;
  if (grant === undefined || (kind === "api" && !grant.apis.some(({ api }) => api === key))) return [];
  return [grant];
}
