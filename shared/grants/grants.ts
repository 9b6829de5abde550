/**
 * Grants: creates them, opens them for the caller that they are bound to, stores the newest refresh token, lists,
 * revokes and reaps them.
 *
 * Input: a handle or id and a validated caller. Output: the grant, and on opening, Entra's refresh token. Failures:
 * `GrantFailure`. It does not decide policy (`unattended`, scopes, flows) and does not call Entra. The flow checks that
 * Entra's token is about the grant's user.
 */

import type { ConsentedApis } from "../core/api-scopes.ts";
import { type Grant, type GrantBinding, isGrantId } from "../core/grant.ts";
import { CLOCK_TOLERANCE_SECONDS, CONFIRMATION_SECONDS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { UserIdentity } from "../core/user-identity.ts";
import type { Sealer } from "../sealing/sealer.ts";
import { type GrantHandle, newHandle as newRandomHandle, parseHandle } from "./grant-handle.ts";
import type { GrantStore, ListGrants } from "./grant-store.ts";
import type {
  GrantCaller,
  GrantFailure,
  GrantPage,
  GrantStoreFailure,
  GrantVisibility,
  ReapReport,
  StoredGrant,
  UnsealedGrant,
} from "./grant-types.ts";
import { confirmExists, readExisting, recordRedemption, storeNewer } from "./record-redemption.ts";
import { sealGrant, unsealGrant } from "./sealed-grant.ts";

const DAY_SECONDS = 24 * 3600;
/**
 * How long an expired grant stays in the store. An application that runs once a week then gets "expired" with a link to
 * renew the grant, instead of "unknown". The refresh token stays sealed with the handle and is not redeemed.
 */
const EXPIRED_RETENTION_SECONDS = 14 * DAY_SECONDS;

export interface CreateGrant {
  readonly binding: GrantBinding;
  readonly registration: string;
  readonly user: UserIdentity;
  readonly apis: ConsentedApis;
  readonly refreshToken: SecretValue;
  /** `grantMaxDays` of the policy entry. */
  readonly maxDays: number;
  readonly policyEntry: string;
  /**
   * Set if the same request may be repeated. The second request returns the same grant, or `grant_exists` if the grant
   * was revoked in the meantime.
   */
  readonly idempotency?: { readonly handle: SecretValue; readonly createdAtSeconds: number };
}

export interface CreatedGrant {
  readonly handle: SecretValue;
  readonly grant: Grant;
  /** An earlier request created the grant. */
  readonly existed: boolean;
}

export interface DenyGrant {
  /** The handle that was chosen for the grant. */
  readonly handle: SecretValue;
  /** The caller that the grant would be bound to. */
  readonly caller: GrantCaller;
  /** When the confirmation began, seconds since 1970. */
  readonly createdAtSeconds: number;
}

export interface Grants {
  create(request: CreateGrant): Promise<Result<CreatedGrant, GrantFailure>>;
  /** Checks existence, binding, expiry and seal, in this order: another caller does not learn that a grant expired. */
  open(handle: SecretValue, caller: GrantCaller): Promise<Result<UnsealedGrant, GrantFailure>>;
  /** Stores the newer refresh token that Entra returned, unless another instance stored one in the meantime. */
  storeNewer(opened: UnsealedGrant, refreshToken: SecretValue): Promise<Result<Grant, GrantFailure>>;
  /** Records a redemption without a newer refresh token, at most once a day. */
  recordRedemption(opened: UnsealedGrant): Promise<Result<Grant, GrantFailure>>;
  /** Reads the grant again. Fails if it was revoked, or if the store does not answer. */
  confirmExists(grant: Grant): Promise<Result<Grant, GrantFailure>>;
  list(
    caller: GrantCaller,
    page: { readonly limit: number; readonly after?: string } & GrantVisibility,
  ): Promise<Result<GrantPage, GrantFailure>>;
  /**
   * Returns the revoked grant. Undefined: it did not exist. `visibility` lets a user revoke the grants that
   * applications hold on their behalf.
   */
  revoke(
    handle: SecretValue,
    caller: GrantCaller,
    visibility?: GrantVisibility,
  ): Promise<Result<Grant | undefined, GrantFailure>>;
  revokeById(
    id: string,
    caller: GrantCaller,
    visibility?: GrantVisibility,
  ): Promise<Result<Grant | undefined, GrantFailure>>;
  /**
   * The person denied this grant: revokes it if it exists, and writes a tombstone, so that the form cannot create it.
   * Returns the revoked grant.
   */
  deny(request: DenyGrant): Promise<Result<Grant | undefined, GrantFailure>>;
  /** Deletes a grant whose caller got an error instead of the handle. */
  discard(grant: Grant): Promise<Result<boolean, GrantStoreFailure>>;
  reap(request: { readonly dryRun: boolean; readonly limit: number }): Promise<Result<ReapReport, GrantStoreFailure>>;
}

export interface GrantsInput {
  readonly store: GrantStore;
  /** `createSealer({ purpose: GRANT_PURPOSE, keys })`. */
  readonly sealer: Sealer;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly newHandle?: () => GrantHandle;
}

export function createGrants(input: GrantsInput): Grants {
  const { store, sealer } = input;
  const redemption = { store, sealer, nowSeconds: () => nowSeconds(input) };
  return {
    create: (request) => createGrant(input, request),
    open: (handle, caller) => openGrant(input, handle, caller),
    storeNewer: (opened, refreshToken) => storeNewer(redemption, opened, refreshToken),
    recordRedemption: (opened) => recordRedemption(redemption, opened),
    confirmExists: (grant) => confirmExists(input, grant),
    list: (caller, page) => listGrants(input, { caller, ...page }),
    async revoke(handle, caller, visibility = {}) {
      const parsed = parseHandle(handle.reveal());
      return parsed.ok ? revokeGrant(input, parsed.value.id, caller, visibility) : parsed;
    },
    revokeById: async (id, caller, visibility = {}) =>
      isGrantId(id) ? revokeGrant(input, id, caller, visibility) : fail({ kind: "grant_unknown" as const }),
    deny: (request) => denyGrant(input, request),
    discard: (grant) => store.delete(grant),
    reap: ({ dryRun, limit }) =>
      store.reap({ beforeSeconds: nowSeconds(input) - EXPIRED_RETENTION_SECONDS, limit, dryRun }),
  };
}

/** Whether this caller may redeem the grant: a user only its own grants, an application only those of its client id. */
function isBoundTo(grant: Grant, caller: GrantCaller): boolean {
  const { binding, user } = grant;
  const sameClient =
    binding.kind === caller.kind && binding.tenantId === caller.tenantId && binding.clientId === caller.clientId;
  if (!sameClient) return false;
  return binding.kind === "application" || (user.tenantId === caller.tenantId && user.objectId === caller.objectId);
}

// ---------------------------------------------------------------------------------------------------------------

/** True for the caller it is bound to and, with `onTheirBehalf`, for the user on whose behalf the application holds it. */
function canSee(grant: Grant, caller: GrantCaller, { onTheirBehalf = false }: GrantVisibility): boolean {
  const { binding, user } = grant;
  const onCallersBehalf =
    onTheirBehalf &&
    caller.kind === "user" &&
    binding.kind === "application" &&
    user.tenantId === caller.tenantId &&
    user.objectId === caller.objectId;
  return onCallersBehalf || isBoundTo(grant, caller);
}

async function createGrant(input: GrantsInput, request: CreateGrant): Promise<Result<CreatedGrant, GrantFailure>> {
  const { refreshToken, maxDays, idempotency, ...record } = request;
  const chosen =
    idempotency === undefined
      ? succeed((input.newHandle ?? newRandomHandle)())
      : parseHandle(idempotency.handle.reveal());
  if (!chosen.ok) return chosen;
  const handle = chosen.value;
  const existing = idempotency === undefined ? succeed(undefined) : await findCreated(input, handle);
  if (!existing.ok) return existing;
  if (existing.value !== undefined) return succeed(existing.value);
  const createdAtSeconds = idempotency?.createdAtSeconds ?? nowSeconds(input);
  const grant: Grant = {
    id: handle.id,
    ...record,
    createdAtSeconds,
    expiresAtSeconds: createdAtSeconds + maxDays * DAY_SECONDS,
    lastRedeemedAtSeconds: undefined,
  };
  const sealed = await sealGrant(input.sealer, handle, grant, refreshToken);
  if (!sealed.ok) return sealed;
  const created = await input.store.create(grant, sealed.value);
  if (created.ok) return succeed({ handle: handle.secret, grant, existed: false });
  // Of two requests at the same time, the store accepts one.
  const other = created.failure.kind === "grant_exists" ? await findCreated(input, handle) : succeed(undefined);
  return other.ok && other.value !== undefined ? succeed(other.value) : created;
}

/**
 * The grant that an earlier request created with this handle. As in a redemption, the row is trusted only after
 * unsealing it with the handle. A revoked grant is not found.
 */
async function findCreated(
  input: GrantsInput,
  handle: GrantHandle,
): Promise<Result<CreatedGrant | undefined, GrantFailure>> {
  const found = await input.store.read(handle.id);
  if (!found.ok || found.value === undefined) return found.ok ? succeed(undefined) : found;
  const { grant, sealed } = found.value;
  const unsealed = await unsealGrant(input.sealer, handle, grant, sealed);
  return unsealed.ok ? succeed({ handle: handle.secret, grant, existed: true }) : unsealed;
}

async function openGrant(
  input: GrantsInput,
  handle: SecretValue,
  caller: GrantCaller,
): Promise<Result<UnsealedGrant, GrantFailure>> {
  const parsed = parseHandle(handle.reveal());
  if (!parsed.ok) return parsed;
  const stored = await readBound(input, parsed.value.id, caller);
  if (!stored.ok) return stored;
  const { grant, sealed } = stored.value;
  const refreshToken = await unsealGrant(input.sealer, parsed.value, grant, sealed);
  const { id: grantId, expiresAtSeconds } = grant;
  if (expiresAtSeconds <= nowSeconds(input)) {
    // The sealing key may no longer exist. Only the sealed record proves what the grant was.
    return fail({
      kind: "grant_expired",
      grantId,
      expiresAtSeconds,
      sealedRecord: refreshToken.ok ? grant : undefined,
    });
  }
  return refreshToken.ok ? succeed({ ...stored.value, handle, refreshToken: refreshToken.value }) : refreshToken;
}

async function revokeGrant(
  input: GrantsInput,
  id: string,
  caller: GrantCaller,
  visibility: GrantVisibility,
): Promise<Result<Grant | undefined, GrantFailure>> {
  const stored = await readExisting(input, id);
  if (!stored.ok) return stored.failure.kind === "grant_unknown" ? succeed(undefined) : stored;
  const { grant } = stored.value;
  if (!canSee(grant, caller, visibility)) return fail({ kind: "grant_not_bound", grantId: id });
  const existed = await removeGrant(input, grant);
  return existed.ok ? succeed(existed.value ? grant : undefined) : existed;
}

/**
 * While the browser can still send the confirmation form with its cookie, the form would create the grant again with
 * the same handle. Until then a tombstone replaces the grant.
 */
function removeGrant(input: GrantsInput, grant: Grant): Promise<Result<boolean, GrantStoreFailure>> {
  const formExpiresAtSeconds = formExpiry(grant.createdAtSeconds);
  return nowSeconds(input) < formExpiresAtSeconds
    ? input.store.replaceWithTombstone(grant, formExpiresAtSeconds)
    : input.store.delete(grant);
}

/** An approval may still be in process, so the service writes a tombstone even if there is no grant yet. */
async function denyGrant(
  input: GrantsInput,
  { handle, caller, createdAtSeconds }: DenyGrant,
): Promise<Result<Grant | undefined, GrantFailure>> {
  const parsed = parseHandle(handle.reveal());
  if (!parsed.ok) return parsed;
  const { id } = parsed.value;
  const stored = await input.store.read(id);
  if (!stored.ok) return stored;
  const grant = stored.value?.grant;
  if (grant !== undefined && !isBoundTo(grant, caller)) return fail({ kind: "grant_not_bound", grantId: id });
  const untilSeconds = formExpiry(createdAtSeconds);
  const written = await input.store.writeTombstone(id, untilSeconds);
  if (!written.ok || grant === undefined) return written.ok ? succeed(undefined) : written;
  const replaced = await input.store.replaceWithTombstone(grant, untilSeconds);
  return replaced.ok ? succeed(grant) : replaced;
}

/** Until when the browser can send the form of a confirmation, seconds since 1970. */
function formExpiry(createdAtSeconds: number): number {
  return createdAtSeconds + CONFIRMATION_SECONDS + CLOCK_TOLERANCE_SECONDS;
}

async function readBound(
  input: GrantsInput,
  id: string,
  caller: GrantCaller,
): Promise<Result<StoredGrant, GrantFailure>> {
  const stored = await readExisting(input, id);
  if (stored.ok && !isBoundTo(stored.value.grant, caller)) return fail({ kind: "grant_not_bound", grantId: id });
  return stored;
}

/**
 * Lists unexpired grants only. The index only finds candidates: access is checked on each grant row.
 */
async function listGrants(input: GrantsInput, request: ListGrants): Promise<Result<GrantPage, GrantFailure>> {
  const page = await input.store.list(request);
  if (!page.ok) return page;
  const visible = page.value.grants.filter(
    (grant) => grant.expiresAtSeconds > nowSeconds(input) && canSee(grant, request.caller, request),
  );
  return succeed({ grants: visible, next: page.value.next });
}

function nowSeconds(input: GrantsInput): number {
  return Math.floor(input.now() / 1000);
}
