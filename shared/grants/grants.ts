/**
 * Grants: creates them, opens them for the caller that they are bound to, stores the newest refresh token, lists,
 * revokes and reaps them.
 *
 * Input: a handle or id and a validated caller. Output: the grant, and on opening, Entra's refresh token. Failures:
 * `GrantFailure`. It does not decide policy (`unattended`, scopes, flows) and does not call Entra. The flow checks that
 * Entra's token is about the grant's user.
 */

import { type Grant, isGrantId, type RequestedGrant } from "../core/grant.ts";
import { REQUESTED_GRANT_SECONDS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import { isSameUser, type UserIdentity } from "../core/user-identity.ts";
import type { Sealer } from "../sealing/sealer.ts";
import {
  type AllowedGrant,
  type AllowGrant,
  allowGrant,
  checkAnswerable,
  type DeclineGrant,
  declineGrant,
} from "./allow-grant.ts";
import { CODE_ROW_SECONDS, type CreatedGrant, type CreateGrant, createGrant, removeLater } from "./create-grant.ts";
import { type GrantHandle, newHandle as newRandomHandle, parseHandle } from "./grant-handle.ts";
import type { GrantStore, ListGrants } from "./grant-store.ts";
import type {
  GrantCaller,
  GrantFailure,
  GrantPage,
  GrantStoreFailure,
  GrantVisibility,
  IsLive,
  ReapReport,
  StoredRow,
  UnsealedGrant,
} from "./grant-types.ts";
import { type Bound, isBoundTo, openGrant, partRevoked } from "./open-grant.ts";
import { reapRevoked } from "./reap-revoked.ts";
import {
  confirmExists,
  type Redemption,
  type RefusedRedemption,
  recordRedemption,
  recordRefusedRedemption,
  recordVerified,
  storeNewer,
} from "./record-redemption.ts";
import { sealRequest } from "./sealed-grant.ts";

/**
 * How long an expired grant stays in the store. An application that runs once a week then gets "expired" with a link to
 * renew the grant, instead of "unknown". The refresh token stays sealed with the handle and is not redeemed.
 */
const EXPIRED_RETENTION_SECONDS = 14 * 24 * 3600;

/** `user` is undefined for a grant that was only requested. */
export type RevokedGrant = Pick<Grant, "id" | "binding"> & { readonly user: UserIdentity | undefined };

export type RequestGrant = Omit<RequestedGrant, "id" | "expiresAtSeconds">;

export interface Grants {
  /** Makes the handle of a grant that a person may allow until `REQUESTED_GRANT_SECONDS` from now. */
  request(request: RequestGrant): Promise<Result<GrantHandle, GrantFailure>>;
  /** A person allowed a requested grant, or allowed a grant again. */
  allow(request: AllowGrant): Promise<Result<AllowedGrant, GrantFailure>>;
  /** A person chose not to. Returns the grant that ended. */
  decline(request: DeclineGrant): Promise<Result<Grant | undefined, GrantFailure>>;
  /** Whether a link can still be answered. */
  checkAnswerable(link: Pick<AllowGrant, "handle" | "heals">): Promise<Result<true, GrantFailure>>;
  /** If it fails, no grant stays behind: one that was stored nevertheless is removed in the background. */
  create(request: CreateGrant): Promise<Result<CreatedGrant, GrantFailure>>;
  /** The code was used again. Returns the grant that it had made and that ends now. */
  revokeByCode(codeId: string, caller: GrantCaller): Promise<Result<RevokedGrant | undefined, GrantFailure>>;
  /** See `openGrant`. */
  open(handle: SecretValue, caller: GrantCaller): Promise<Result<UnsealedGrant, GrantFailure>>;
  /** Stores the newer refresh token that Entra returned, unless another instance stored one in the meantime. */
  storeNewer(
    opened: UnsealedGrant,
    refreshToken: SecretValue,
    redemption: Redemption,
  ): Promise<Result<Grant, GrantFailure>>;
  /** Records a redemption without a newer refresh token, at most once a day. */
  recordRedemption(opened: UnsealedGrant, redemption: Redemption): Promise<Result<Grant, GrantFailure>>;
  /** Records a refused redemption. Returns whether this call recorded the grant's death first. */
  recordRefusedRedemption(opened: UnsealedGrant, refusal: RefusedRedemption): Promise<Result<boolean, GrantFailure>>;
  /** Reads the grant again. Fails if it was revoked, or if the store does not answer. */
  confirmExists(grant: Grant): Promise<Result<Grant, GrantFailure>>;
  list(caller: GrantCaller, page: Omit<ListGrants, "caller">): Promise<Result<GrantPage, GrantFailure>>;
  /**
   * Returns what was revoked. Undefined: it did not exist. A requested grant ends too. `visibility` lets a user revoke the grants that
   * applications hold on their behalf.
   */
  revoke(
    handle: SecretValue,
    caller: GrantCaller,
    visibility?: GrantVisibility,
  ): Promise<Result<RevokedGrant | undefined, GrantFailure>>;
  revokeById(
    id: string,
    caller: GrantCaller,
    visibility?: GrantVisibility,
  ): Promise<Result<RevokedGrant | undefined, GrantFailure>>;
  /** The application presented the verifier of its challenge: from now on the grant is live. */
  recordVerified(opened: UnsealedGrant): Promise<Result<UnsealedGrant, GrantFailure>>;
  /** Deletes a grant whose caller got an error instead of the handle. */
  discard(grant: Grant): Promise<Result<boolean, GrantStoreFailure>>;
  reap(request: { readonly dryRun: boolean; readonly limit: number }): Promise<Result<ReapReport, GrantStoreFailure>>;
  /** Deletes the rows of revoked grants. `limit`: how many grants the run looks at. */
  reapRevoked(request: { readonly dryRun: boolean; readonly limit: number }): Promise<Result<ReapReport, GrantFailure>>;
}

export interface GrantsInput {
  readonly store: GrantStore;
  /** `createSealer({ purpose: GRANT_PURPOSE, keys })`. */
  readonly sealer: Sealer;
  /** `createSealer({ purpose: HANDLE_PURPOSE, keys })`. */
  readonly handleSealer: Sealer;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly newHandle?: () => GrantHandle;
  /** See `remove-orphan.ts`. */
  readonly removeOrphan?: (grant: Grant) => Promise<void>;
  /** Whether an administrator has revoked a grant. */
  readonly isLive: IsLive;
}

export function createGrants(input: GrantsInput): Grants {
  const { store, isLive } = input;
  const redemption = { ...input, nowSeconds: () => nowSeconds(input) };
  return {
    request: (request) => requestGrant(input, request),
    allow: (request) => allowGrant(redemption, request),
    decline: (request) => declineGrant(redemption, request),
    checkAnswerable: (link) => checkAnswerable(redemption, link),
    create: (request) => createGrant(redemption, request),
    open: (handle, caller) => openGrant(redemption, handle, caller),
    storeNewer: (opened, refreshToken, by) => storeNewer(redemption, opened, refreshToken, by),
    recordRedemption: (opened, by) => recordRedemption(redemption, opened, by),
    recordRefusedRedemption: (opened, refusal) => recordRefusedRedemption(redemption, opened, refusal),
    confirmExists: (grant) => confirmExists(input, grant),
    list: (caller, page) => listGrants(input, { caller, ...page }),
    async revoke(handle, caller, visibility = {}) {
      const parsed = parseHandle(handle.reveal());
      return parsed.ok ? revokeGrant(input, parsed.value.id, caller, visibility) : parsed;
    },
    revokeById: async (id, caller, visibility = {}) =>
      isGrantId(id) ? revokeGrant(input, id, caller, visibility) : fail({ kind: "grant_unknown" as const }),
    recordVerified: (opened) => recordVerified(redemption, opened),
    revokeByCode: (codeId, caller) => revokeByCode(input, codeId, caller),
    async discard(grant) {
      const deleted = await store.delete(grant);
      if (!deleted.ok) removeLater(input, grant);
      return deleted;
    },
    reapRevoked: (request) => reapRevoked({ store, isLive }, request),
    reap: ({ dryRun, limit }) =>
      store.reap({ beforeSeconds: nowSeconds(input) - EXPIRED_RETENTION_SECONDS, limit, dryRun }),
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** True for the caller it is bound to and, with `onTheirBehalf`, for the user on whose behalf the application holds it. */
function canSee(grant: Bound, caller: GrantCaller, { onTheirBehalf = false }: GrantVisibility): boolean {
  const onCallersBehalf =
    onTheirBehalf && caller.kind === "user" && grant.binding.kind === "application" && isSameUser(grant.user, caller);
  return onCallersBehalf || isBoundTo(grant, caller);
}

async function requestGrant(input: GrantsInput, request: RequestGrant): Promise<Result<GrantHandle, GrantFailure>> {
  const handle = (input.newHandle ?? newRandomHandle)();
  const expiresAtSeconds = nowSeconds(input) + REQUESTED_GRANT_SECONDS;
  const requested = { ...request, id: handle.id, expiresAtSeconds };
  const sealed = await sealRequest(input.sealer, handle, requested);
  if (!sealed.ok) return sealed;
  const stored = await input.store.request(requested, sealed.value);
  return stored.ok ? succeed(handle) : stored;
}

async function revokeByCode(
  input: GrantsInput,
  codeId: string,
  caller: GrantCaller,
): Promise<Result<RevokedGrant | undefined, GrantFailure>> {
  const expiresAtSeconds = nowSeconds(input) + CODE_ROW_SECONDS;
  const claimed = await input.store.claimCode({ codeId, grantId: undefined, expiresAtSeconds });
  if (!claimed.ok) return claimed;
  const grantId = claimed.value?.grantId;
  return grantId === undefined ? succeed(undefined) : revokeGrant(input, grantId, caller, {});
}

async function revokeGrant(
  input: GrantsInput,
  id: string,
  caller: GrantCaller,
  visibility: GrantVisibility,
): Promise<Result<RevokedGrant | undefined, GrantFailure>> {
  const read = await input.store.read(id);
  if (!read.ok || read.value === undefined) return read.ok ? succeed(undefined) : read;
  const row = read.value;
  const revoked = "grant" in row ? row.grant : { ...row.requested, user: undefined };
  if (!canSee(revoked, caller, visibility)) return fail({ kind: "grant_not_bound", grantId: id });
  const removed = await removeRow(input, row);
  if (!removed.ok) return removed;
  // A requested grant changes once, when a person allows it.
  if (removed.value === "changed") return revokeGrant(input, id, caller, visibility);
  return succeed(removed.value === "removed" ? revoked : undefined);
}

async function removeRow(
  { store }: GrantsInput,
  row: StoredRow,
): Promise<Result<"removed" | "changed" | "gone", GrantFailure>> {
  if (!("grant" in row)) return store.withdraw(row);
  const existed = await store.delete(row.grant);
  return existed.ok ? succeed(existed.value ? "removed" : "gone") : existed;
}

/**
 * Lists live grants only. The index only finds candidates: access is checked on each grant row.
 */
async function listGrants(input: GrantsInput, request: ListGrants): Promise<Result<GrantPage, GrantFailure>> {
  const page = await input.store.list(request);
  if (!page.ok) return page;
  const visible = page.value.grants.filter(
    (grant) => grant.expiresAtSeconds > nowSeconds(input) && canSee(grant, request.caller, request),
  );
  const parted = await partRevoked(input.isLive, visible, (grant) => grant);
  return parted.ok ? succeed({ grants: parted.value.live, next: page.value.next }) : parted;
}

function nowSeconds(input: GrantsInput): number {
  return Math.floor(input.now() / 1000);
}
