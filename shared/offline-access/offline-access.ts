/**
 * Offline access: issues a grant, opens it for its caller, lists and revokes grants, and translates the failures of the
 * grant store. Without a grant store, every handle is refused; the configuration check refuses a policy with grants.
 */

import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Caller } from "../caller/caller.ts";
import type { Failure } from "../core/failure.ts";
import { type Grant, isGrantId, type WantedGrant } from "../core/grant.ts";
import type { GrantEvents } from "../core/grant-event.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import { aboutGrant } from "../events/about-grant.ts";
import { parseHandle } from "../grants/grant-handle.ts";
import type { GrantFailure, GrantPage, GrantVisibility, UnsealedGrant } from "../grants/grant-types.ts";
import type { Grants } from "../grants/grants.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import { entryFor } from "../policy/find-entry.ts";
import { isTooOld } from "../policy/grants-not-before.ts";
import type { Policy } from "../policy/rules.ts";
import type { UnsealedCode } from "../sealed-state/authorization-code.ts";
import { challengeOf, sameText } from "../sealed-state/pkce.ts";
import { type EndGrantOfCode, endGrantOfCode } from "./end-grant-of-code.ts";
import { fromGrantFailure, fromGrantResult } from "./grant-failure.ts";
import { createLinkedGrants, type LinkedGrants, revokedFacts } from "./linked-grants.ts";
import { type RefusalContext, recordRefusal } from "./refused-redemption.ts";
import { type IssuedGrant, type IssueGrant, storeGrant } from "./store-grant.ts";

/** A redemption that Entra answered. */
export interface RedeemedBy extends Pick<Entitlement, "keepAliveDays"> {
  /** Default: the grant's caller. */
  readonly by?: "caller" | "timer";
}

export interface PageOfGrants {
  /** `next` of the previous page. */
  readonly after?: string | undefined;
  /** Only grants that end at this time or before, seconds since 1970. */
  readonly endingBySeconds?: number | undefined;
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
  redeemed(
    grant: UnsealedGrant,
    newer: SecretValue | undefined,
    redemption: RedeemedBy,
  ): Promise<Result<true, Failure>>;
  /**
   * Records that Entra, or a check of its answer, refused the grant. Returns whether this call recorded the grant's death
   * first. It never fails.
   */
  refused(grant: UnsealedGrant, failure: Failure): Promise<boolean>;
  /** The caller used an authorization code again: see `endGrantOfCode`. */
  codeReplayed(code: UnsealedCode, caller: Caller, audit: AuditTrail): Promise<void>;
  /** The caller's own grants. A user also sees the grants that applications hold on their behalf. */
  list(caller: Caller, page: PageOfGrants): Promise<Result<GrantPage, Failure>>;
  /** Revokes by handle, or by the id that `GET /grants` shows. True: a grant was revoked. */
  revoke(handleOrId: SecretValue, caller: Caller, audit: AuditTrail): Promise<Result<boolean, Failure>>;
}

/** Grants in one page of `GET /grants`. */
const PAGE_SIZE = 50;

type LazyGrants = () => Promise<Grants>;

export interface OfflineAccessInput extends Pick<EndGrantOfCode, "pause" | "onReplay"> {
  readonly policy: Policy;
  /** Resolved on first use: the table and JWE parts of the bundle are lazy. Undefined: no store is configured. */
  readonly grants: LazyGrants | undefined;
  readonly codeOf: RefusalContext["codeOf"];
  readonly events: GrantEvents;
  /** Whether an administrator has revoked the grant, as far as this instance knows. */
  readonly isKnownRevoked: (grant: Grant) => boolean;
  readonly nowSeconds: () => number;
  /** Entra returned a newer refresh token, but it could not be stored. */
  readonly onRotationLost: (grantId: string, failure: Failure) => void;
}

export function createOfflineAccess(input: OfflineAccessInput): OfflineAccess {
  const { policy, grants, codeOf, events, isKnownRevoked, onRotationLost } = input;
  return {
    ...createLinkedGrants(grants, events),
    async open(handle, caller, codeVerifier) {
      const all = await grants?.();
      const opened = checkAge(input, caller, await all?.open(handle, caller));
      if (all !== undefined && opened?.ok === true) return checkVerifier(all, opened.value, codeVerifier);
      reportWrongCaller(events, opened);
      const refused: Failure =
        opened?.ok === false ? fromGrantFailure(opened.failure) : { kind: "grant_refused", reason: "unknown" };
      const wanted = opened?.ok === false ? wantedGrant(policy, caller, opened.failure) : undefined;
      return refused.kind === "grant_refused"
        ? fail({ ...refused, ...grantIdOf(handle), ...(wanted === undefined ? {} : { wanted }) })
        : fail(refused);
    },
    issue: (request) => storeGrant(input, request),
    async redeemed(grant, newer, { keepAliveDays, by = "caller" }) {
      const all = await grants?.();
      const redemption = { by, keepAliveDays };
      const written = await (newer === undefined
        ? all?.recordRedemption(grant, redemption)
        : all?.storeNewer(grant, newer, redemption));
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
    refused: (grant, failure) => recordRefusal({ grants, codeOf }, grant, failure),
    codeReplayed: (code, caller, audit) => endGrantOfCode(input, code, caller, audit),
    async list(caller, { after, endingBySeconds }) {
      const cursor = after === undefined ? {} : { after };
      const page = { limit: PAGE_SIZE, ...cursor, endingBySeconds, ...visibilityFor(policy, caller) };
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
      events.publish(aboutGrant("revoked", revoked.value));
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

/** A caller that presents the handle of another one has it from somewhere. The caller is authenticated. */
function reportWrongCaller(events: GrantEvents, opened: Result<unknown, GrantFailure> | undefined): void {
  if (opened?.ok !== false || opened.failure.kind !== "grant_not_bound") return;
  const { presented } = opened.failure;
  if (presented === undefined) return;
  events.publish(aboutGrant("presented_by_wrong_caller", presented, { reason: "not_bound" }));
}
