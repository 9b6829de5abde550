/**
 * Offline access: issues a grant, opens it for its caller, lists and revokes grants, and translates the failures of the
 * grant store. Without a grant store, every handle is refused; the configuration check refuses a policy with grants.
 */

import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Caller } from "../caller/caller.ts";
import type { Failure } from "../core/failure.ts";
import { type Grant, isGrantId, type WantedGrant } from "../core/grant.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import { isSameUser, type UserIdentity } from "../core/user-identity.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import type { Subject } from "../flows/flows.ts";
import { parseHandle } from "../grants/grant-handle.ts";
import type { GrantFailure, GrantPage, GrantVisibility, UnsealedGrant } from "../grants/grant-types.ts";
import type { CreateGrant, Grants } from "../grants/grants.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import { entryFor } from "../policy/find-entry.ts";
import { isTooOld } from "../policy/grants-not-before.ts";
import type { Policy } from "../policy/rules.ts";
import { challengeOf, sameText } from "../sealed-state/pkce.ts";
import type { Consent } from "./consented-apis.ts";
import { fromGrantFailure, fromGrantResult } from "./grant-failure.ts";
import { createLinkedGrants, type LinkedGrants, revokedFacts } from "./linked-grants.ts";

/** A grant as a response describes it. */
export interface IssuedGrant {
  readonly id: string;
  /** Present only if the grant was just issued: the service returns the handle once. */
  readonly handle: SecretValue | undefined;
  readonly expiresAtSeconds: number;
}

export interface IssueGrant {
  readonly caller: Caller;
  readonly subject: Subject;
  readonly entitlement: Entitlement;
  readonly token: EntraToken;
  /** The consented APIs and the refresh token. */
  readonly consent: Consent;
  /** Aborts when the deadline passes. */
  readonly signal?: AbortSignal | undefined;
  readonly audit: AuditTrail;
}

export interface OfflineAccess extends LinkedGrants {
  /** `codeVerifier`: for a grant that is bound to a session of the application. */
  open(
    handle: SecretValue,
    caller: Caller,
    codeVerifier: SecretValue | undefined,
  ): Promise<Result<UnsealedGrant, Failure>>;
  /** Issues a grant. Undefined: no grant store is configured. */
  issue(request: IssueGrant): Promise<Result<IssuedGrant | undefined, Failure>>;
  /**
   * Records a redemption and stores the newer refresh token if Entra returned one. Fails if the grant was revoked
   * during the redemption, or if the store does not say whether it was. A failed write alone loses nothing, because the
   * older refresh token still works.
   */
  redeemed(grant: UnsealedGrant, newer: SecretValue | undefined): Promise<Result<true, Failure>>;
  /** The caller's own grants. A user also sees the grants that applications hold on their behalf. */
  list(caller: Caller, after: string | undefined): Promise<Result<GrantPage, Failure>>;
  /** Revokes by handle, or by the id that `GET /grants` shows. True: a grant was revoked. */
  revoke(handleOrId: SecretValue, caller: Caller, audit: AuditTrail): Promise<Result<boolean, Failure>>;
}

/** Grants in one page of `GET /grants`. */
const PAGE_SIZE = 50;

type LazyGrants = () => Promise<Grants>;

export interface OfflineAccessInput {
  readonly policy: Policy;
  /** Resolved on first use: the table and JWE parts of the bundle are lazy. Undefined: no store is configured. */
  readonly grants: LazyGrants | undefined;
  /** Whether an administrator has revoked the grant, as far as this instance knows. */
  readonly isKnownRevoked: (grant: Grant) => boolean;
  readonly nowSeconds: () => number;
  /** Entra returned a newer refresh token, but it could not be stored. */
  readonly onRotationLost: (grantId: string, failure: Failure) => void;
}

export function createOfflineAccess(input: OfflineAccessInput): OfflineAccess {
  const { policy, grants, isKnownRevoked, onRotationLost } = input;
  return {
    ...createLinkedGrants(grants),
    async open(handle, caller, codeVerifier) {
      const all = await grants?.();
      const opened = checkAge(input, caller, await all?.open(handle, caller));
      if (all !== undefined && opened?.ok === true) return checkVerifier(all, opened.value, codeVerifier);
      const refused: Failure =
        opened?.ok === false ? fromGrantFailure(opened.failure) : { kind: "grant_refused", reason: "unknown" };
      const wanted = opened?.ok === false ? wantedGrant(policy, caller, opened.failure) : undefined;
      return refused.kind === "grant_refused"
        ? fail({ ...refused, ...grantIdOf(handle), ...(wanted === undefined ? {} : { wanted }) })
        : fail(refused);
    },
    issue: (request) => issue(grants, request),
    async redeemed(grant, newer) {
      const all = await grants?.();
      const written = await (newer === undefined ? all?.recordRedemption(grant) : all?.storeNewer(grant, newer));
      if (isKnownRevoked(grant.grant))
        return fail(fromGrantFailure({ kind: "grant_revoked", grantId: grant.grant.id }));
      if (all === undefined || written?.ok !== false) return succeed(true);
      const failure = fromGrantFailure(written.failure);
      if (failure.kind === "grant_refused") return fail(failure);
      const exists = await all.confirmExists(grant.grant);
      if (!exists.ok) return fail(fromGrantFailure(exists.failure));
      onRotationLost(grant.grant.id, failure);
      return succeed(true);
    },
    async list(caller, after) {
      const page = { limit: PAGE_SIZE, ...(after === undefined ? {} : { after }), ...visibilityFor(policy, caller) };
      const listed = await (await grants?.())?.list(caller, page);
      return listed === undefined ? succeed({ grants: [], next: undefined }) : fromGrantResult(listed);
    },
    async revoke(handleOrId, caller, audit) {
      const all = await grants?.();
      const { grantId } = grantIdOf(handleOrId);
      if (all === undefined || grantId === undefined) return succeed(false);
      audit.add({ grantId, grantRevoked: false });
      const revoked = fromGrantResult(await all.revokeById(grantId, caller, visibilityFor(policy, caller)));
      if (!revoked.ok) {
        // RFC 7009 section 2.2: an unknown grant is not an error. A grant of another caller gets the same response.
        return revoked.failure.kind === "grant_refused" ? succeed(false) : revoked;
      }
      if (revoked.value === undefined) return succeed(false);
      audit.add(revokedFacts(revoked.value));
      return succeed(true);
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** The grant id for the audit event, even if there is no such grant. A malformed handle has none. */
function grantIdOf(handleOrId: SecretValue): { readonly grantId?: string } {
  const text = handleOrId.reveal();
  if (isGrantId(text)) return { grantId: text };
  const handle = parseHandle(text);
  return handle.ok ? { grantId: handle.value.id } : {};
}

/** The entry of the caller decides, as about everything else that the grant may do. */
function checkAge(
  { policy, nowSeconds }: OfflineAccessInput,
  caller: Caller,
  opened: Result<UnsealedGrant, GrantFailure> | undefined,
): Result<UnsealedGrant, GrantFailure> | undefined {
  if (opened?.ok !== true) return opened;
  const { grant } = opened.value;
  const { allowedAtSeconds } = grant;
  return isTooOld(policy, entryFor(policy, caller), { allowedAtSeconds, nowSeconds: nowSeconds() })
    ? fail({ kind: "grant_too_old", grantId: grant.id, sealedRecord: grant })
    : opened;
}

/** RFC 7636: the verifier is required until the application has presented it once, and a wrong one is never accepted. */
async function checkVerifier(
  grants: Grants,
  opened: UnsealedGrant,
  codeVerifier: SecretValue | undefined,
): Promise<Result<UnsealedGrant, Failure>> {
  const { id: grantId, codeChallenge, verifiedAtSeconds } = opened.grant;
  if (codeChallenge === undefined) return succeed(opened);
  if (codeVerifier !== undefined && !sameText(codeChallenge, challengeOf(codeVerifier.reveal()))) {
    return fail({ kind: "grant_refused", reason: "verifier_wrong", grantId });
  }
  if (verifiedAtSeconds !== undefined) return succeed(opened);
  return codeVerifier === undefined
    ? fail({ kind: "grant_refused", reason: "verifier_missing", grantId })
    : fromGrantResult(await grants.recordVerified(opened));
}

/**
 * The application's grant, so that the response can offer a link that makes it live. A user signs in again instead. A grant
 * of another registration than the caller's stays what it is.
 */
function wantedGrant(policy: Policy, caller: Caller, failure: GrantFailure): WantedGrant | undefined {
  const entry = caller.kind === "application" ? entryFor(policy, caller) : undefined;
  if (entry === undefined) return undefined;
  const by = { entry: entry.name, confidential: caller.confidential };
  if (failure.kind === "grant_pending") {
    const { binding, apis, expectedUser, claims, registration } = failure.requested;
    if (registration !== caller.registration) return undefined;
    return { ...by, clientId: binding.clientId, apis, expectedUser, claims, heals: false };
  }
  const isOver = failure.kind === "grant_expired" || failure.kind === "grant_too_old";
  if (!isOver || failure.sealedRecord === undefined) return undefined;
  const { binding, apis, user, registration } = failure.sealedRecord;
  if (registration !== caller.registration) return undefined;
  return {
    ...by,
    clientId: binding.clientId,
    apis,
    expectedUser: user.objectId,
    claims: undefined,
    heals: true,
  };
}

/** A user sees and revokes the grants that applications hold on their behalf, through any client with a policy entry. */
function visibilityFor(policy: Policy, caller: Caller): GrantVisibility {
  return { onTheirBehalf: caller.kind === "user" && entryFor(policy, caller) !== undefined };
}

async function issue(
  grants: LazyGrants | undefined,
  request: IssueGrant,
): Promise<Result<IssuedGrant | undefined, Failure>> {
  const { caller, entitlement, consent } = request;
  if (grants === undefined) return succeed(undefined);
  const user = ownerOf(request);
  if (!user.ok) return user;
  if (consent.refreshToken === undefined) {
    return fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
  }
  return storeGrant(grants, request, {
    binding: { kind: caller.kind, tenantId: caller.tenantId, clientId: caller.clientId },
    registration: caller.registration,
    user: user.value,
    refreshToken: consent.refreshToken,
    apis: consent.apis,
    maxDays: entitlement.grantMaxDays,
    policyEntry: entitlement.entry,
  });
}

async function storeGrant(
  grants: LazyGrants,
  { audit, signal }: Pick<IssueGrant, "audit" | "signal">,
  request: CreateGrant,
): Promise<Result<IssuedGrant, Failure>> {
  const all = await grants();
  const created = await all.create(request);
  if (!created.ok) return fail(fromGrantFailure(created.failure));
  const { handle, grant } = created.value;
  if (signal?.aborted === true) {
    // The deadline passed and the caller got 504 instead of the handle: delete the grant.
    const discarded = await all.discard(grant);
    audit.add({ grantMade: true, ...revokedFacts(grant), grantRevoked: discarded.ok });
    return fail({ kind: "deadline_passed" });
  }
  audit.add({ grantId: grant.id, subjectObjectId: grant.user.objectId, grantMade: true });
  return succeed({ id: grant.id, handle, expiresAtSeconds: grant.expiresAtSeconds });
}

/**
 * The owner of the new grant. Entra's token must be about the subject, or about the user who imports a refresh token.
 */
function ownerOf({ caller, subject, token }: IssueGrant): Result<UserIdentity, Failure> {
  const { user } = token;
  if (user === undefined) return fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
  const expected = expectedOwner(caller, subject);
  return expected === undefined || isSameUser(expected, user)
    ? succeed(user)
    : fail({ kind: "grant_refused", reason: "user_changed" });
}

function expectedOwner(caller: Caller, subject: Subject): UserIdentity | undefined {
  if (subject.source === "user") return subject.user;
  return caller.kind === "user" ? caller : undefined;
}
