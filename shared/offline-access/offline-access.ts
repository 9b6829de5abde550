/**
 * Offline access: issues a grant, opens it for its caller, lists and revokes grants, and translates the failures of the
 * grant store. Without a grant store, every handle is refused; the configuration check refuses a policy with grants.
 */

import type { AuditFacts } from "../audit/audit-event.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Caller } from "../caller/caller.ts";
import type { ConsentedApis } from "../core/api-scopes.ts";
import type { EndedGrant, Failure } from "../core/failure.ts";
import { type Grant, isGrantId } from "../core/grant.ts";
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
import type { Policy } from "../policy/rules.ts";
import type { Consent } from "./consented-apis.ts";
import { fromGrantFailure, fromGrantResult } from "./grant-failure.ts";

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

/** A grant that a person approved on the confirmation page, for an application that is not present. */
export interface IssueConfirmedGrant {
  readonly clientId: string;
  /** Client id of the registration that Entra issued the refresh token for. */
  readonly registration: string;
  readonly user: UserIdentity;
  readonly entitlement: Entitlement;
  /** The APIs that the confirmation page showed. */
  readonly apis: ConsentedApis;
  readonly refreshToken: SecretValue;
  /** Chosen before approval, so that a form that is sent twice issues one grant and shows it twice. */
  readonly handle: SecretValue;
  readonly createdAtSeconds: number;
  readonly signal: AbortSignal;
  readonly audit: AuditTrail;
}

export type DenyConfirmedGrant = Pick<
  IssueConfirmedGrant,
  "clientId" | "user" | "handle" | "createdAtSeconds" | "audit"
>;

export interface OfflineAccess {
  open(handle: SecretValue, caller: Caller): Promise<Result<UnsealedGrant, Failure>>;
  /** Issues a grant. Undefined: no grant store is configured. */
  issue(request: IssueGrant): Promise<Result<IssuedGrant | undefined, Failure>>;
  /** Issues the approved grant. If the same approval came before, returns the same grant with its handle. */
  issueConfirmed(request: IssueConfirmedGrant): Promise<Result<IssuedGrant, Failure>>;
  /**
   * The person denied: revokes the grant that an earlier approval issued, and cancels one that is still being
   * processed.
   */
  denyConfirmed(request: DenyConfirmedGrant): Promise<Result<true, Failure>>;
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
  /** Entra returned a newer refresh token, but it could not be stored. */
  readonly onRotationLost: (grantId: string, failure: Failure) => void;
}

export function createOfflineAccess({ policy, grants, onRotationLost }: OfflineAccessInput): OfflineAccess {
  return {
    async open(handle, caller) {
      const opened = await (await grants?.())?.open(handle, caller);
      if (opened?.ok === true) return opened;
      const refused: Failure =
        opened === undefined ? { kind: "grant_refused", reason: "unknown" } : fromGrantFailure(opened.failure);
      const ended = opened === undefined ? undefined : endedGrant(policy, caller, opened.failure);
      return refused.kind === "grant_refused"
        ? fail({ ...refused, ...grantIdOf(handle), ...(ended === undefined ? {} : { ended }) })
        : fail(refused);
    },
    issue: (request) => issue(grants, request),
    issueConfirmed: (request) => issueConfirmed(grants, request),
    denyConfirmed: (request) => denyConfirmed(grants, request),
    async redeemed(grant, newer) {
      const all = await grants?.();
      const written = await (newer === undefined ? all?.recordRedemption(grant) : all?.storeNewer(grant, newer));
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

function revokedFacts({ id, binding, user }: Grant): Partial<AuditFacts> {
  return { grantId: id, grantRevoked: true, grantClientId: binding.clientId, subjectObjectId: user.objectId };
}

/**
 * The expired grant of an application, so that the response can offer a link to renew it. A user signs in again
 * instead.
 */
function endedGrant(policy: Policy, caller: Caller, failure: GrantFailure): EndedGrant | undefined {
  if (failure.kind !== "grant_expired" || failure.sealedRecord === undefined) return undefined;
  if (caller.kind !== "application") return undefined;
  const entry = entryFor(policy, caller);
  if (entry === undefined) return undefined;
  return { entry: entry.name, confidential: caller.confidential, grant: failure.sealedRecord };
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
    ...grantTerms(entitlement),
  });
}

async function issueConfirmed(
  grants: LazyGrants | undefined,
  request: IssueConfirmedGrant,
): Promise<Result<IssuedGrant, Failure>> {
  if (grants === undefined) return fail({ kind: "misconfigured", code: "grant_store_missing" });
  const { clientId, registration, user, entitlement, apis, refreshToken, handle, createdAtSeconds } = request;
  return storeGrant(grants, request, {
    binding: { kind: "application", tenantId: user.tenantId, clientId },
    registration,
    user,
    refreshToken,
    idempotency: { handle, createdAtSeconds },
    apis,
    ...grantTerms(entitlement),
  });
}

async function denyConfirmed(
  grants: LazyGrants | undefined,
  { clientId, user, handle, createdAtSeconds, audit }: DenyConfirmedGrant,
): Promise<Result<true, Failure>> {
  const caller = { kind: "application", tenantId: user.tenantId, clientId, objectId: user.objectId } as const;
  const denied = await (await grants?.())?.deny({ handle, caller, createdAtSeconds });
  if (denied?.ok === false) return fail(fromGrantFailure(denied.failure));
  audit.add(denied?.value === undefined ? {} : revokedFacts(denied.value));
  return succeed(true);
}

function grantTerms({ grantMaxDays, entry }: Entitlement) {
  return { maxDays: grantMaxDays, policyEntry: entry };
}

async function storeGrant(
  grants: LazyGrants,
  { audit, signal }: Pick<IssueGrant, "audit" | "signal">,
  request: CreateGrant,
): Promise<Result<IssuedGrant, Failure>> {
  const all = await grants();
  const created = await all.create(request);
  if (!created.ok) return fail(fromGrantFailure(created.failure));
  const { handle, grant, existed } = created.value;
  if (signal?.aborted === true && !existed) {
    // The deadline passed and the caller got 504 instead of the handle: delete the grant.
    const discarded = await all.discard(grant);
    audit.add({ grantMade: true, ...revokedFacts(grant), grantRevoked: discarded.ok });
    return fail({ kind: "deadline_passed" });
  }
  audit.add({ grantId: grant.id, subjectObjectId: grant.user.objectId, ...(existed ? {} : { grantMade: true }) });
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
