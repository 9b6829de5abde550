/**
 * Grants: delegated permissions kept for later. Makes them, opens them for the caller that they are bound to, keeps the
 * newest refresh token, lists, revokes, reaps.
 *
 * Input: a handle or id and a validated caller; output: the grant, and on opening Entra's refresh token; failures:
 * `GrantFailure`. It does not decide policy (`unattended`, scopes, flows), does not talk to Entra, and does not check
 * whose token a redemption gave: the flow does.
 */

import type { ConsentedApis } from "../core/api-scopes.ts";
import { type Grant, type GrantBinding, isGrantId } from "../core/grant.ts";
import { CLOCK_TOLERANCE_SECONDS, CONFIRMATION_SECONDS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { UserIdentity } from "../core/user-identity.ts";
import type { Sealer } from "../sealing/sealer.ts";
import type {
  GrantCaller,
  GrantFailure,
  GrantPage,
  GrantStoreFailure,
  GrantVisibility,
  ReapReport,
  StoredGrant,
  UnsealedGrant,
} from "./grant.ts";
import type { GrantStore, ListGrants } from "./grant-store.ts";
import { type GrantHandle, newHandle as newRandomHandle, parseHandle } from "./handle.ts";
import { readExisting, rotated, touch } from "./renew-grant.ts";
import { openSealedGrant, sealGrant } from "./sealed-grant.ts";

const DAY_SECONDS = 24 * 3600;
/**
 * A grant that has ended is kept so long, so that an application that comes once a week is told that it has expired, with
 * a link to make it again, and not that there is none. What it holds stays sealed with its handle, and is not redeemed.
 */
const ENDED_KEPT_SECONDS = 14 * DAY_SECONDS;

export interface MakeGrant {
  readonly binding: GrantBinding;
  readonly user: UserIdentity;
  readonly apis: ConsentedApis;
  readonly refreshToken: SecretValue;
  /** `grantMaxDays` of the policy entry. */
  readonly maxDays: number;
  readonly policyEntry: string;
  /**
   * Set when the same wish may come twice: the grant is made once, and the second time it is the same one; or
   * `grant_exists`, when it was revoked meanwhile.
   */
  readonly once?: { readonly handle: SecretValue; readonly createdAtSeconds: number };
}

export interface MadeGrant {
  readonly handle: SecretValue;
  readonly grant: Grant;
  /** The wish had come before. */
  readonly before: boolean;
}

export interface ForbidGrant {
  /** Chosen for what was to be made. */
  readonly handle: SecretValue;
  /** Whom it would be bound to. */
  readonly caller: GrantCaller;
  /** When the question was asked, seconds since 1970. */
  readonly createdAtSeconds: number;
}

export interface Grants {
  make(request: MakeGrant): Promise<Result<MadeGrant, GrantFailure>>;
  /** Existence, binding, expiry, seal, in this order: a stranger learns nothing from an expired grant either. */
  open(handle: SecretValue, caller: GrantCaller): Promise<Result<UnsealedGrant, GrantFailure>>;
  /** Entra gave a new refresh token: keep it, unless another instance kept a newer one meanwhile. */
  rotated(opened: UnsealedGrant, refreshToken: SecretValue): Promise<Result<Grant, GrantFailure>>;
  /** A redemption without a new refresh token: notes the day. Never in the way of the answer. */
  touch(opened: UnsealedGrant): Promise<Result<Grant, GrantFailure>>;
  list(
    caller: GrantCaller,
    page: { readonly limit: number; readonly after?: string } & GrantVisibility,
  ): Promise<Result<GrantPage, GrantFailure>>;
  /** The grant that was ended; undefined: there was nothing to end. A person may also end what an application has in their name. */
  revoke(
    handle: SecretValue,
    caller: GrantCaller,
    reach?: GrantVisibility,
  ): Promise<Result<Grant | undefined, GrantFailure>>;
  revokeById(
    id: string,
    caller: GrantCaller,
    reach?: GrantVisibility,
  ): Promise<Result<Grant | undefined, GrantFailure>>;
  /**
   * The person said no to what would be made under this handle: what was made ends, and nothing is made any more as long as
   * the form can come. Gives what was ended.
   */
  forbid(request: ForbidGrant): Promise<Result<Grant | undefined, GrantFailure>>;
  /** Made for somebody who has been told that nothing was: takes it away again, without a trace. */
  unmake(grant: Grant): Promise<Result<boolean, GrantStoreFailure>>;
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
  const renewal = { store, sealer, nowSeconds: () => nowSeconds(input) };
  return {
    make: (request) => make(input, request),
    open: (handle, caller) => open(input, handle, caller),
    rotated: (opened, refreshToken) => rotated(renewal, opened, refreshToken),
    touch: (opened) => touch(renewal, opened),
    list: (caller, page) => list(input, { caller, ...page }),
    async revoke(handle, caller, reach = {}) {
      const parsed = parseHandle(handle.reveal());
      return parsed.ok ? revoke(input, parsed.value.id, caller, reach) : parsed;
    },
    revokeById: async (id, caller, reach = {}) =>
      isGrantId(id) ? revoke(input, id, caller, reach) : fail({ kind: "grant_unknown" as const }),
    forbid: (request) => forbid(input, request),
    unmake: (grant) => store.delete(grant),
    reap: ({ dryRun, limit }) => store.reap({ beforeSeconds: nowSeconds(input) - ENDED_KEPT_SECONDS, limit, dryRun }),
  };
}

/** May this caller use this grant? A user caller only for itself; an application caller only with its own client id. */
export function isBoundTo(grant: Grant, caller: GrantCaller): boolean {
  const { binding, user } = grant;
  const sameClient =
    binding.kind === caller.kind && binding.tenantId === caller.tenantId && binding.clientId === caller.clientId;
  if (!sameClient) return false;
  return binding.kind === "application" || (user.tenantId === caller.tenantId && user.objectId === caller.objectId);
}

/** May this caller see and end this grant? Also a person whose name an application acts in; to redeem is another matter. */
function isWithinReach(grant: Grant, caller: GrantCaller, { onTheirBehalf = false }: GrantVisibility): boolean {
  const { binding, user } = grant;
  const theirs =
    onTheirBehalf &&
    caller.kind === "user" &&
    binding.kind === "application" &&
    user.tenantId === caller.tenantId &&
    user.objectId === caller.objectId;
  return theirs || isBoundTo(grant, caller);
}

async function make(input: GrantsInput, request: MakeGrant): Promise<Result<MadeGrant, GrantFailure>> {
  const { refreshToken, maxDays, once, ...record } = request;
  const chosen =
    once === undefined ? succeed((input.newHandle ?? newRandomHandle)()) : parseHandle(once.handle.reveal());
  if (!chosen.ok) return chosen;
  const handle = chosen.value;
  const before = once === undefined ? succeed(undefined) : await madeBefore(input, handle);
  if (!before.ok) return before;
  if (before.value !== undefined) return succeed(before.value);
  const createdAtSeconds = once?.createdAtSeconds ?? nowSeconds(input);
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
  if (created.ok) return succeed({ handle: handle.secret, grant, before: false });
  // Of two at the same moment, the store takes one.
  const other = created.failure.kind === "grant_exists" ? await madeBefore(input, handle) : succeed(undefined);
  return other.ok && other.value !== undefined ? succeed(other.value) : created;
}

/**
 * What was made under a handle that was chosen beforehand. The row is believed as in a redemption: only with its seal,
 * which only this handle opens. One that was revoked is not found.
 */
async function madeBefore(
  input: GrantsInput,
  handle: GrantHandle,
): Promise<Result<MadeGrant | undefined, GrantFailure>> {
  const found = await input.store.read(handle.id);
  if (!found.ok || found.value === undefined) return found.ok ? succeed(undefined) : found;
  const { grant, sealed } = found.value;
  const opened = await openSealedGrant(input.sealer, handle, grant, sealed);
  return opened.ok ? succeed({ handle: handle.secret, grant, before: true }) : opened;
}

async function open(
  input: GrantsInput,
  handle: SecretValue,
  caller: GrantCaller,
): Promise<Result<UnsealedGrant, GrantFailure>> {
  const parsed = parseHandle(handle.reveal());
  if (!parsed.ok) return parsed;
  const stored = await readBound(input, parsed.value.id, caller);
  if (!stored.ok) return stored;
  const { grant, sealed } = stored.value;
  const refreshToken = await openSealedGrant(input.sealer, parsed.value, grant, sealed);
  const { id: grantId, expiresAtSeconds } = grant;
  if (expiresAtSeconds <= nowSeconds(input)) {
    // Its key may be gone with it, and it has expired all the same; but only a seal says what it was.
    return fail({
      kind: "grant_expired",
      grantId,
      expiresAtSeconds,
      sealedRecord: refreshToken.ok ? grant : undefined,
    });
  }
  if (!refreshToken.ok) return refreshToken;
  return succeed({ ...stored.value, handle, refreshToken: refreshToken.value });
}

async function revoke(
  input: GrantsInput,
  id: string,
  caller: GrantCaller,
  reach: GrantVisibility,
): Promise<Result<Grant | undefined, GrantFailure>> {
  const stored = await readExisting(input, id);
  if (!stored.ok) return stored.failure.kind === "grant_unknown" ? succeed(undefined) : stored;
  const { grant } = stored.value;
  if (!isWithinReach(grant, caller, reach)) return fail({ kind: "grant_not_bound", grantId: id });
  // The form that made it and its cookie, sent again, would make it again under the same handle.
  const formEndsAtSeconds = formEnd(grant.createdAtSeconds);
  const mayComeAgain = formEndsAtSeconds > nowSeconds(input);
  const ended = await (mayComeAgain ? input.store.bury(grant, formEndsAtSeconds) : input.store.delete(grant));
  if (!ended.ok) return ended;
  return succeed(ended.value ? grant : undefined);
}

/** A yes may be under way at this very moment: the mark is set whether there is a grant or not, and the yes meets it. */
async function forbid(
  input: GrantsInput,
  { handle, caller, createdAtSeconds }: ForbidGrant,
): Promise<Result<Grant | undefined, GrantFailure>> {
  const parsed = parseHandle(handle.reveal());
  if (!parsed.ok) return parsed;
  const { id } = parsed.value;
  const stored = await input.store.read(id);
  if (!stored.ok) return stored;
  const grant = stored.value?.grant;
  if (grant !== undefined && !isBoundTo(grant, caller)) return fail({ kind: "grant_not_bound", grantId: id });
  const marked = await input.store.forbid(id, formEnd(createdAtSeconds));
  if (!marked.ok) return marked;
  const buried = grant === undefined ? marked : await input.store.bury(grant, formEnd(createdAtSeconds));
  return buried.ok ? succeed(grant) : buried;
}

/** Until when the form of a confirmation that began then can come. */
function formEnd(createdAtSeconds: number): number {
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

/** Live grants only; and the index is a way to find, not a proof of whose they are. */
async function list(input: GrantsInput, request: ListGrants): Promise<Result<GrantPage, GrantFailure>> {
  const page = await input.store.list(request);
  if (!page.ok) return page;
  const live = page.value.grants.filter(
    (grant) => grant.expiresAtSeconds > nowSeconds(input) && isWithinReach(grant, request.caller, request),
  );
  return succeed({ grants: live, next: page.value.next });
}

function nowSeconds(input: GrantsInput): number {
  return Math.floor(input.now() / 1000);
}
