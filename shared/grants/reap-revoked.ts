/**
 * Deletes the rows of grants that administrators have revoked. The marks hold without it; this only frees the table. One
 * run looks at a bounded number of grants, beginning anywhere, so that several runs see all of them.
 */
import { randomBytes } from "node:crypto";
import type { Grant } from "../core/grant.ts";
import { inGroups } from "../core/in-groups.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { GrantStore } from "./grant-store.ts";
import type { GrantFailure, IsLive, ReapReport } from "./grant-types.ts";
import { partRevoked } from "./open-grant.ts";

export interface ReapRevoked {
  readonly dryRun: boolean;
  /** Grants that one run looks at. */
  readonly limit: number;
}

const EVERYTHING = { kind: "everything", key: "" } as const;
const PAGE = 500;
const DELETES_AT_ONCE = 10;

interface Input {
  readonly store: Pick<GrantStore, "search" | "delete">;
  readonly isLive: IsLive;
}

export async function reapRevoked(
  input: Input,
  { dryRun, limit }: ReapRevoked,
): Promise<Result<ReapReport, GrantFailure>> {
  const begin = randomBytes(32).toString("hex");
  const found = { seen: 0, revoked: new Map<string, Grant>() };
  for (const part of [{ from: begin }, { to: begin }]) {
    const failed = await collectRevoked(input, { ...part, limit }, found);
    if (failed !== undefined) return fail(failed);
  }
  const { seen, revoked } = found;
  const failed = dryRun ? 0 : await deleteAll(input.store, [...revoked.values()]);
  const deleted = dryRun ? 0 : revoked.size - failed;
  return succeed({ expired: revoked.size, deleted, failed, more: seen >= limit });
}

// ---------------------------------------------------------------------------------------------------------------

/** A part of the table: after one id, up to about another. */
interface Part {
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

interface Found {
  seen: number;
  /** By id: the second part ends inside the first one. */
  readonly revoked: Map<string, Grant>;
}

async function collectRevoked(
  { store, isLive }: Input,
  { from, to = "g", limit }: Part,
  found: Found,
): Promise<GrantFailure | undefined> {
  let after = from;
  do {
    const page = await store.search({ target: EVERYTHING, liveAtSeconds: 0, limit: PAGE, after });
    if (!page.ok) return page.failure;
    const parted = await partRevoked(isLive, page.value.grants, (grant) => grant);
    if (!parted.ok) return parted.failure;
    for (const grant of parted.value.revoked) found.revoked.set(grant.id, grant);
    found.seen += page.value.grants.length;
    after = page.value.next;
  } while (after !== undefined && after < to && found.seen < limit);
  return undefined;
}

/** The number that could not be deleted; a later run finds them again. */
async function deleteAll(store: Pick<GrantStore, "delete">, grants: readonly Grant[]): Promise<number> {
  let failed = 0;
  for (const group of inGroups(grants, DELETES_AT_ONCE)) {
    const outcomes = await Promise.all(group.map((grant) => store.delete(grant)));
    failed += outcomes.filter(({ ok }) => !ok).length;
  }
  return failed;
}
