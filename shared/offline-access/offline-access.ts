/**
 * Offline access: issues a grant, opens it for its caller, lists and ends grants, and translates the grant store's
 * failures. Without a grant store no handle opens; the configuration check refuses a policy that would issue grants.
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
import type { GrantFailure, GrantPage, GrantVisibility, UnsealedGrant } from "../grants/grant.ts";
import type { Grants, MakeGrant } from "../grants/grants.ts";
import { parseHandle } from "../grants/handle.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import { entryFor } from "../policy/evaluate.ts";
import type { Policy } from "../policy/rules.ts";
import type { Consent } from "./consented-apis.ts";
import { fromGrantFailure, fromGrantResult } from "./grant-failure.ts";

/** A grant as an answer speaks of it. */
export interface IssuedGrant {
  readonly id: string;
  /** Present only when it was just made: the one time that the handle is shown. */
  readonly handle: SecretValue | undefined;
  readonly expiresAtSeconds: number;
}

export interface IssueGrant {
  readonly caller: Caller;
  readonly subject: Subject;
  readonly entitlement: Entitlement;
  readonly token: EntraToken;
  /** What the permission covers. */
  readonly consent: Consent;
  /** Aborts when the deadline passes. */
  readonly signal?: AbortSignal | undefined;
  readonly audit: AuditTrail;
}

/** A grant that a person has confirmed, for an application that is not there. */
export interface IssueConfirmedGrant {
  readonly clientId: string;
  readonly user: UserIdentity;
  readonly entitlement: Entitlement;
  /** What the person saw. */
  readonly apis: ConsentedApis;
  readonly refreshToken: SecretValue;
  /** Chosen beforehand, so that a form sent twice makes one grant, and shows it twice. */
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
  /** Makes a grant; none where no store is configured. */
  issue(request: IssueGrant): Promise<Result<IssuedGrant | undefined, Failure>>;
  /** The same grant again, handle and all, where the same confirmation has come before. */
  issueConfirmed(request: IssueConfirmedGrant): Promise<Result<IssuedGrant, Failure>>;
  /** The answer was no: ends what a yes to the same confirmation has made, and stops one that is under way. */
  denyConfirmed(request: DenyConfirmedGrant): Promise<Result<true, Failure>>;
  /**
   * Notes a redemption, and stores the newer refresh token if Entra gave one. Fails only when the grant was revoked
   * meanwhile; a store that is down loses nothing, because the older refresh token still works.
   */
  redeemed(grant: UnsealedGrant, newer: SecretValue | undefined): Promise<Result<true, Failure>>;
  /** The caller's own, and for a person also what applications have in their name. */
  list(caller: Caller, after: string | undefined): Promise<Result<GrantPage, Failure>>;
  /** By handle, or by the id that `GET /grants` shows. True when something was revoked. */
  revoke(handleOrId: SecretValue, caller: Caller, audit: AuditTrail): Promise<Result<boolean, Failure>>;
}

/** Grants in one page of `GET /grants`. */
const PAGE_SIZE = 50;

export interface OfflineAccessInput {
  readonly policy: Policy;
  /** Resolved on first use: the table and JWE parts of the bundle are lazy. Undefined: no store is configured. */
  readonly grants: (() => Promise<Grants>) | undefined;
  /** A rotation that could not be stored. */
  readonly onRotationLost: (grantId: string, failure: Failure) => void;
}

export function createOfflineAccess({ policy, grants, onRotationLost }: OfflineAccessInput): OfflineAccess {
  return {
    async open(handle, caller) {
      const opened = await (await grants?.())?.open(handle, caller);
      if (opened?.ok === true) return opened;
      const refused: Failure =
        opened === undefined ? { kind: "grant_refused", reason: "unknown" } : fromGrantFailure(opened.failure);
      return refused.kind === "grant_refused"
        ? fail({ ...refused, ...grantIdOf(handle), ...whatEnded(policy, caller, opened) })
        : fail(refused);
    },
    issue: (request) => issue(grants, request),
    issueConfirmed: (request) => issueConfirmed(grants, request),
    denyConfirmed: (request) => denyConfirmed(grants, request),
    async redeemed(grant, newer) {
      const all = await grants?.();
      const written = await (newer === undefined ? all?.touch(grant) : all?.rotated(grant, newer));
      if (written?.ok !== false) return succeed(true);
      const failure = fromGrantFailure(written.failure);
      if (failure.kind === "grant_refused") return fail(failure);
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
        // RFC 7009 section 2.2: what is not there, or not this caller's, is not an error, and both look alike.
        return revoked.failure.kind === "grant_refused" ? succeed(false) : revoked;
      }
      if (revoked.value === undefined) return succeed(false);
      audit.add(endedFacts(revoked.value));
      return succeed(true);
    },
  };
}

/** The name of a grant in the trail, whether it is there or not; a handle that is none has no name. */
function grantIdOf(handleOrId: SecretValue): { readonly grantId?: string } {
  const text = handleOrId.reveal();
  if (isGrantId(text)) return { grantId: text };
  const handle = parseHandle(text);
  return handle.ok ? { grantId: handle.value.id } : {};
}

function endedFacts({ id, binding, user }: Grant): Partial<AuditFacts> {
  return { grantId: id, grantRevoked: true, grantClientId: binding.clientId, subjectObjectId: user.objectId };
}

/** Only an application has nobody at hand who would simply make the grant again. */
function whatEnded(
  policy: Policy,
  caller: Caller,
  opened: Result<UnsealedGrant, GrantFailure> | undefined,
): { readonly ended?: EndedGrant } {
  const expired = opened?.ok === false && opened.failure.kind === "grant_expired" ? opened.failure : undefined;
  const grant = expired?.sealedRecord;
  const entry = caller.kind === "application" ? entryFor(policy, caller) : undefined;
  return grant === undefined || entry === undefined
    ? {}
    : { ended: { entry: entry.name, confidential: caller.confidential, grant } };
}

/** A person sees and ends what applications have in their name, through any client that policy knows. */
function visibilityFor(policy: Policy, caller: Caller): GrantVisibility {
  return { onTheirBehalf: caller.kind === "user" && entryFor(policy, caller) !== undefined };
}

async function issue(
  grants: OfflineAccessInput["grants"],
  request: IssueGrant,
): Promise<Result<IssuedGrant | undefined, Failure>> {
  const { caller, entitlement, consent } = request;
  if (grants === undefined) return succeed(undefined);
  const user = ownerOf(request);
  if (!user.ok) return user;
  if (consent.refreshToken === undefined) {
    return fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
  }
  return make(grants, request, {
    binding: { kind: caller.kind, tenantId: caller.tenantId, clientId: caller.clientId },
    user: user.value,
    refreshToken: consent.refreshToken,
    apis: consent.apis,
    ...grantTerms(entitlement),
  });
}

async function issueConfirmed(
  grants: OfflineAccessInput["grants"],
  request: IssueConfirmedGrant,
): Promise<Result<IssuedGrant, Failure>> {
  if (grants === undefined) return fail({ kind: "misconfigured", code: "grant_store_missing" });
  const { clientId, user, entitlement, apis, refreshToken, handle, createdAtSeconds } = request;
  return make(grants, request, {
    binding: { kind: "application", tenantId: user.tenantId, clientId },
    user,
    refreshToken,
    once: { handle, createdAtSeconds },
    apis,
    ...grantTerms(entitlement),
  });
}

async function denyConfirmed(
  grants: OfflineAccessInput["grants"],
  { clientId, user, handle, createdAtSeconds, audit }: DenyConfirmedGrant,
): Promise<Result<true, Failure>> {
  const caller = { kind: "application", tenantId: user.tenantId, clientId, objectId: user.objectId } as const;
  const ended = await (await grants?.())?.forbid({ handle, caller, createdAtSeconds });
  if (ended?.ok === false) return fail(fromGrantFailure(ended.failure));
  audit.add(ended?.value === undefined ? {} : endedFacts(ended.value));
  return succeed(true);
}

function grantTerms({ grantMaxDays, entry }: Entitlement) {
  return { maxDays: grantMaxDays, policyEntry: entry };
}

async function make(
  grants: () => Promise<Grants>,
  { audit, signal }: Pick<IssueGrant, "audit" | "signal">,
  request: MakeGrant,
): Promise<Result<IssuedGrant, Failure>> {
  const all = await grants();
  const made = await all.make(request);
  if (!made.ok) return fail(fromGrantFailure(made.failure));
  const { handle, grant, before } = made.value;
  if (signal?.aborted === true && !before) {
    // Whoever has been told that it took too long has no handle for it: it must not lie about.
    const unmade = await all.unmake(grant);
    audit.add({ grantMade: true, ...endedFacts(grant), grantRevoked: unmade.ok });
    return fail({ kind: "deadline_passed" });
  }
  audit.add({ grantId: grant.id, subjectObjectId: grant.user.objectId, ...(before ? {} : { grantMade: true }) });
  return succeed({ id: grant.id, handle, expiresAtSeconds: grant.expiresAtSeconds });
}

/** The owner of the new grant. Entra's answer must be about the subject, or about the user who imports its own token. */
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
