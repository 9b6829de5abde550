/**
 * What administrators do with the grants of others: list them, and revoke by person, caller, policy entry, API, grant or
 * everything. A revocation is a mark, which each instance compares with grants and cached tokens; the rows of the grants
 * are removed later.
 */
import { randomUUID } from "node:crypto";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Caller } from "../caller/caller.ts";
import type { Failure } from "../core/failure.ts";
import type { Grant } from "../core/grant.ts";
import type { GrantEvents } from "../core/grant-event.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { CLOCK_MARGIN_SECONDS, type RevocationTarget } from "../core/revocation.ts";
import { aboutGrant } from "../events/about-grant.ts";
import type { GrantStore } from "../grants/grant-store.ts";
import type { GrantPage } from "../grants/grant-types.ts";
import type { MarksFull, RevocationMark } from "../grants/mark-store.ts";
import { EFFECTIVE_SECONDS, type Revocations } from "../revocation/revocations.ts";
import { fromGrantFailure, fromGrantResult } from "./grant-failure.ts";

export interface ManageContext {
  readonly store: () => Promise<Pick<GrantStore, "search">>;
  readonly revocations: Pick<Revocations, "revoke" | "isKnownRevoked">;
  readonly events: GrantEvents;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

export interface RevokeAccess {
  readonly target: RevocationTarget;
  readonly reason: string;
  readonly dryRun: boolean;
  readonly administrator: Caller;
}

/** How many grants a target concerns: in a dry run, those that are not revoked already. `more`: at least so many. */
export interface ConcernedGrants {
  readonly grants: number;
  readonly more: boolean;
}

export interface RevokedAccess {
  /** Undefined: they could not be counted, but they are revoked. */
  readonly concerned: ConcernedGrants | undefined;
  /** Undefined after a dry run. */
  readonly mark: RevocationMark | undefined;
  /** The mark is in effect on every instance then, seconds since 1970. */
  readonly effectiveAtSeconds: number | undefined;
}

const PAGE_SIZE = 50;
/** Grants that one step of a count reads. */
const COUNT_PAGE = 1_000;
/** A revocation of more grants sends no event for each of them. */
const EVENTS_MAX = 50;
/** The count ends early, so that the answer comes before the deadline of the request. */
const COUNT_MS = 4_000;

export async function listManagedGrants(
  { store, revocations, nowMs }: Omit<ManageContext, "events">,
  { target, after }: { readonly target: RevocationTarget; readonly after: string | undefined },
): Promise<Result<GrantPage, Failure>> {
  const search = { target, liveAtSeconds: toSeconds(nowMs()), limit: PAGE_SIZE, after };
  const page = fromGrantResult(await (await store()).search(search));
  if (!page.ok) return page;
  const { grants, next } = page.value;
  return succeed({ grants: grants.filter((grant) => !revocations.isKnownRevoked(grant)), next });
}

/** The mark comes first: what is counted afterwards has been revoked. */
export async function revokeAccess(
  context: ManageContext,
  { target, reason, dryRun, administrator }: RevokeAccess,
  audit: AuditTrail,
): Promise<Result<RevokedAccess, Failure>> {
  const nowSeconds = toSeconds(context.nowMs());
  const notBeforeSeconds = nowSeconds + CLOCK_MARGIN_SECONDS;
  audit.add({ revocationKind: target.kind, revocationKey: target.key, revocationDryRun: dryRun });
  if (dryRun) {
    const concerned = await countGrants(context, target, {
      allowedUntilSeconds: notBeforeSeconds,
      counts: (grant) => !context.revocations.isKnownRevoked(grant),
    });
    if (!concerned.ok) return concerned;
    audit.add({ revocationGrants: concerned.value.grants });
    return succeed({ concerned: concerned.value, mark: undefined, effectiveAtSeconds: undefined });
  }
  const { clientId, objectId } = administrator;
  const by = { clientId, objectId };
  const mark = { id: randomUUID(), ...target, notBeforeSeconds, reason, createdAtSeconds: nowSeconds, by };
  const revoked = await context.revocations.revoke(mark);
  if (!revoked.ok) return fail(fromMarkFailure(revoked.failure));
  audit.add({ revocationId: mark.id });
  const ended: Grant[] = [];
  const counts = (grant: Grant) => {
    if (ended.length < EVENTS_MAX) ended.push(grant);
    return true;
  };
  const counted = await countGrants(context, target, { allowedUntilSeconds: notBeforeSeconds, counts });
  const concerned = counted.ok ? counted.value : undefined;
  if (concerned !== undefined) audit.add({ revocationGrants: concerned.grants });
  if (concerned?.grants === ended.length) {
    for (const grant of ended) context.events.publish(aboutGrant("revoked", grant, { reason }));
  }
  return succeed({ concerned, mark, effectiveAtSeconds: nowSeconds + EFFECTIVE_SECONDS });
}

// ---------------------------------------------------------------------------------------------------------------

async function countGrants(
  { store, nowMs }: ManageContext,
  target: RevocationTarget,
  { allowedUntilSeconds, counts }: { readonly allowedUntilSeconds: number; counts(grant: Grant): boolean },
): Promise<Result<ConcernedGrants, Failure>> {
  const beganMs = nowMs();
  const search = { target, liveAtSeconds: toSeconds(beganMs), allowedUntilSeconds, limit: COUNT_PAGE };
  let grants = 0;
  let after: string | undefined;
  do {
    const page = await (await store()).search({ ...search, after });
    if (!page.ok) return fail(fromGrantFailure(page.failure));
    grants += page.value.grants.filter(counts).length;
    after = page.value.next;
  } while (after !== undefined && nowMs() - beganMs < COUNT_MS);
  return succeed({ grants, more: after !== undefined });
}

function fromMarkFailure(failure: Parameters<typeof fromGrantFailure>[0] | MarksFull): Failure {
  return failure.kind === "marks_full"
    ? { kind: "request_invalid", problem: "too_many_revocations" }
    : fromGrantFailure(failure);
}

function toSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1_000);
}
