/**
 * A person answers a link: the requested grant becomes a grant, or a grant that ended becomes live again under the same
 * handle. Both replace the row by compare-and-swap, so of two answers at the same time one counts, and a handle that was
 * revoked or declined stays ended: nothing is left to replace.
 */
import { type Grant, type GrantBinding, grantEnd } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import { isSameUser } from "../core/user-identity.ts";
import { type GrantHandle, parseHandle } from "./grant-handle.ts";
import type { GrantStore } from "./grant-store.ts";
import type { GrantFailure, IsLive, StoredGrant, StoredRequest, StoredRow } from "./grant-types.ts";
import { type GrantTerms, sealContent, UNUSED } from "./new-grant.ts";
import { checkLive, toRevocable } from "./open-grant.ts";
import type { RedemptionInput } from "./record-redemption.ts";
import { endReplaced, grantToReplace, NO_LIMIT } from "./room-for-grant.ts";
import { unsealGrant, unsealRequest } from "./sealed-grant.ts";

/** Attempts if another writer changes the row, for example a redemption that is recorded. */
const ATTEMPTS = 3;

export interface AllowGrant extends GrantTerms {
  readonly handle: SecretValue;
  /** When the confirmation began, seconds since 1970. */
  readonly allowedAtSeconds: number;
  /** Id of the confirmation. */
  readonly confirmation: string;
  /** The link renews this grant. Otherwise it can be answered only once. */
  readonly heals: boolean;
}

export interface AllowedGrant {
  readonly grant: Grant;
  /** `existed`: the same confirmation had allowed it before. */
  readonly outcome: "made" | "healed" | "existed";
  /** As `CreatedGrant` has it. To be called when the person is about to get the page, and not before. */
  endReplaced(): Promise<Result<readonly Grant[], GrantFailure>>;
  /** Puts the row back as it was before. Does nothing for `existed`. */
  undo(): Promise<Result<boolean, GrantFailure>>;
}

export interface DeclineGrant extends Pick<AllowGrant, "handle" | "user" | "confirmation"> {
  readonly clientId: string;
}

export interface AllowInput extends RedemptionInput {
  readonly isLive: IsLive;
}

/**
 * Failures: `grant_unknown` (ended, declined or expired), `grant_revoked` (by an administrator, since it was allowed or requested), `grant_answered` (by another confirmation), `grant_not_bound`
 * (another person, application or registration).
 */
export async function allowGrant(
  input: AllowInput,
  request: AllowGrant,
  attemptsLeft = ATTEMPTS,
): Promise<Result<AllowedGrant, GrantFailure>> {
  const handle = parseHandle(request.handle.reveal());
  if (!handle.ok) return handle;
  const { id } = handle.value;
  const row = await input.store.read(id);
  if (!row.ok) return row;
  const previous = row.value;
  if (previous === undefined) return fail({ kind: "grant_unknown" });
  const next = await nextGrant(input, { request, handle: handle.value, previous });
  if (!next.ok) return next;
  if (next.value.outcome === "existed") {
    return succeed({ ...next.value, endReplaced: async () => succeed([]), undo: async () => succeed(false) });
  }
  const { outcome } = next.value;
  const limited = { ...request, maxGrantsPerUser: maxGrants(request, outcome) };
  const replaced = await grantToReplace(input, limited);
  if (!replaced.ok) return replaced;
  const sealed = await sealContent(input, handle.value, { ...request, grant: next.value.grant });
  if (!sealed.ok) return sealed;
  const { grant } = sealed.value;
  const allowed = await input.store.allow(previous, sealed.value);
  if (!allowed.ok) return allowed;
  if (allowed.value === "gone") return fail({ kind: "grant_unknown" });
  if (allowed.value === "changed") {
    return attemptsLeft > 1
      ? allowGrant(input, request, attemptsLeft - 1)
      : fail({ kind: "grant_conflict", grantId: id });
  }
  const written = allowed.value;
  return succeed({
    grant,
    outcome,
    endReplaced: () => endReplaced(input, { ...limited, id, replaced: replaced.value }),
    undo: () => input.store.restore(written, previous),
  });
}

/**
 * The person chose not to allow it. A requested grant ends, and so does a grant that the same confirmation had allowed.
 * A grant that another confirmation allowed stays as it is, and this confirmation can no longer renew it. Returns the
 * grant that ended.
 */
export async function declineGrant(
  { store }: Pick<AllowInput, "store">,
  request: DeclineGrant,
  attemptsLeft = ATTEMPTS,
): Promise<Result<Grant | undefined, GrantFailure>> {
  const handle = parseHandle(request.handle.reveal());
  if (!handle.ok) return handle;
  const { id } = handle.value;
  const row = await store.read(id);
  if (!row.ok || row.value === undefined) return row.ok ? succeed(undefined) : row;
  const { binding } = "grant" in row.value ? row.value.grant : row.value.requested;
  if (binding.clientId !== request.clientId) return fail({ kind: "grant_not_bound", grantId: id });
  const written = await declineRow(store, row.value, request);
  if (!written.ok || written.value !== "changed") return written as Result<Grant | undefined, GrantFailure>;
  return attemptsLeft > 1
    ? declineGrant({ store }, request, attemptsLeft - 1)
    : fail({ kind: "grant_conflict", grantId: id });
}

/** Whether a link of this handle can still be answered. Fails as `allowGrant` does. */
export async function checkAnswerable(
  { store, sealer, isLive, nowSeconds }: AllowInput,
  { handle, heals }: Pick<AllowGrant, "handle" | "heals">,
): Promise<Result<true, GrantFailure>> {
  const parsed = parseHandle(handle.reveal());
  if (!parsed.ok) return parsed;
  const row = await store.read(parsed.value.id);
  if (!row.ok) return row;
  if (row.value === undefined) return fail({ kind: "grant_unknown" });
  if ("grant" in row.value) {
    return heals ? checkLive(isLive, row.value.grant) : fail({ kind: "grant_answered", grantId: parsed.value.id });
  }
  if (row.value.requested.expiresAtSeconds <= nowSeconds()) return fail({ kind: "grant_unknown" });
  const unsealed = await unsealRequest(sealer, parsed.value, row.value);
  return unsealed.ok ? checkLive(isLive, toRevocable(unsealed.value)) : unsealed;
}

// ---------------------------------------------------------------------------------------------------------------

interface Allowing<Row extends StoredRow> {
  readonly request: AllowGrant;
  readonly handle: GrantHandle;
  readonly previous: Row;
}

/** A grant that a person allows again has its place already. */
function maxGrants({ maxGrantsPerUser }: AllowGrant, outcome: AllowedGrant["outcome"]): number {
  return outcome === "made" ? (maxGrantsPerUser ?? NO_LIMIT) : NO_LIMIT;
}

type Next = Result<Pick<AllowedGrant, "grant" | "outcome">, GrantFailure>;

function nextGrant(input: AllowInput, allowing: Allowing<StoredRow>): Promise<Next> {
  const { previous } = allowing;
  return "grant" in previous
    ? renewedGrant(input, { ...allowing, previous })
    : firstGrant(input, { ...allowing, previous });
}

/** The row is trusted only after unsealing it with the handle. */
async function firstGrant(input: AllowInput, { request, handle, previous }: Allowing<StoredRequest>): Promise<Next> {
  const unsealed = await unsealRequest(input.sealer, handle, previous);
  if (!unsealed.ok) return unsealed;
  const { binding, registration, expectedUser, codeChallenge, expiresAtSeconds, requestedBy } = unsealed.value;
  if (expiresAtSeconds <= input.nowSeconds()) return fail({ kind: "grant_unknown" });
  const live = await checkLive(input.isLive, toRevocable(unsealed.value));
  if (!live.ok) return live;
  const isRequested =
    isSameBinding(binding, request.binding) &&
    registration === request.registration &&
    (expectedUser === undefined || expectedUser === request.user.objectId);
  if (!isRequested) return fail({ kind: "grant_not_bound", grantId: handle.id });
  const grant = {
    id: handle.id,
    ...UNUSED,
    ...termsOf(request),
    binding: request.binding,
    registration,
    user: request.user,
    requestedBy,
    createdAtSeconds: request.allowedAtSeconds,
    codeChallenge,
  };
  return succeed({ grant, outcome: "made" });
}

/** The same application, registration and person, and no confirmation that is older than the one that counted last. */
async function renewedGrant(input: AllowInput, { request, handle, previous }: Allowing<StoredGrant>): Promise<Next> {
  const { grant, sealed } = previous;
  const unsealed = await unsealGrant(input.sealer, handle, grant, sealed);
  if (!unsealed.ok) return unsealed;
  const isSamePerson = isSameUser(grant.user, request.user);
  if (isSamePerson && grant.confirmation === request.confirmation) return succeed({ grant, outcome: "existed" });
  if (!request.heals) return fail({ kind: "grant_answered", grantId: grant.id });
  const live = await checkLive(input.isLive, grant);
  if (!live.ok) return live;
  const isSameGrant =
    isSamePerson && isSameBinding(grant.binding, request.binding) && grant.registration === request.registration;
  if (!isSameGrant) return fail({ kind: "grant_not_bound", grantId: grant.id });
  const isOver =
    request.allowedAtSeconds < grant.allowedAtSeconds || request.confirmation === grant.declinedConfirmation;
  if (isOver) return fail({ kind: "grant_answered", grantId: grant.id });
  return succeed({ grant: { ...grant, ...HEALED, ...termsOf(request) }, outcome: "healed" });
}

/** What a person's answer removes: the new refresh token and the new end have no history. */
const HEALED = {
  lastError: undefined,
  deadSinceSeconds: undefined,
  expiringReportedAtSeconds: undefined,
} as const satisfies Partial<Grant>;

function termsOf({ apis, maxDays, policyEntry, allowedAtSeconds, confirmation }: AllowGrant) {
  const expiresAtSeconds = grantEnd(allowedAtSeconds, maxDays);
  return { apis, policyEntry, allowedAtSeconds, confirmation, expiresAtSeconds };
}

function isSameBinding(one: GrantBinding, other: GrantBinding): boolean {
  return one.kind === other.kind && one.tenantId === other.tenantId && one.clientId === other.clientId;
}

async function declineRow(
  store: GrantStore,
  row: StoredRow,
  { user, confirmation }: DeclineGrant,
): Promise<Result<Grant | undefined | "changed", GrantFailure>> {
  if (!("grant" in row)) return orChanged(await store.withdraw(row));
  const { grant } = row;
  if (!isSameUser(grant.user, user)) return succeed(undefined);
  if (grant.confirmation === confirmation) {
    const deleted = await store.delete(grant);
    return deleted.ok ? succeed(deleted.value ? grant : undefined) : deleted;
  }
  return orChanged(await store.replace(row, { declinedConfirmation: confirmation }));
}

function orChanged(written: Result<unknown, GrantFailure>): Result<"changed" | undefined, GrantFailure> {
  if (!written.ok) return written;
  return succeed(written.value === "changed" ? "changed" : undefined);
}
