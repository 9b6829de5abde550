/**
 * Stores a new grant whose consent Entra has confirmed, if Entra's token is about the grant's person. A request that got
 * 504 in the meantime leaves no grant.
 */
import { hash } from "node:crypto";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Caller } from "../caller/caller.ts";
import type { Failure } from "../core/failure.ts";
import type { GrantEvents } from "../core/grant-event.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import { isSameUser, type UserIdentity } from "../core/user-identity.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import { aboutGrant } from "../events/about-grant.ts";
import type { Subject } from "../flows/flows.ts";
import type { CreateGrant } from "../grants/create-grant.ts";
import type { Grants } from "../grants/grants.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import type { UnsealedCode } from "../sealed-state/authorization-code.ts";
import type { Consent } from "./consented-apis.ts";
import { fromGrantFailure } from "./grant-failure.ts";
import { endReplacedGrants, revokedFacts } from "./linked-grants.ts";
import { toRequester } from "./requester.ts";

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

interface StoreGrantInput {
  readonly grants: (() => Promise<Grants>) | undefined;
  readonly events: GrantEvents;
}

/** Undefined: no grant store is configured. */
export async function storeGrant(
  { grants, events }: StoreGrantInput,
  request: IssueGrant,
): Promise<Result<IssuedGrant | undefined, Failure>> {
  const { caller, entitlement, consent } = request;
  if (grants === undefined) return succeed(undefined);
  const user = ownerOf(request);
  if (!user.ok) return user;
  if (consent.refreshToken === undefined) {
    return fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
  }
  return create({ grants, events }, request, {
    binding: { kind: caller.kind, tenantId: caller.tenantId, clientId: caller.clientId },
    registration: caller.registration,
    user: user.value,
    refreshToken: consent.refreshToken,
    apis: consent.apis,
    maxDays: entitlement.grantMaxDays,
    keepAliveDays: entitlement.keepAliveDays,
    maxGrantsPerUser: entitlement.maxGrantsPerUser,
    codeId: request.subject.source === "code" ? codeIdOf(request.subject.code) : undefined,
    policyEntry: entitlement.entry,
    requestedBy: toRequester(caller),
  });
}

/** Entra's codes are long and random, so the digest tells nothing about the code. */
export function codeIdOf({ entraCode }: UnsealedCode): string {
  return hash("sha256", entraCode.reveal(), "hex");
}

// ---------------------------------------------------------------------------------------------------------------

async function create(
  { grants, events }: { readonly grants: () => Promise<Grants>; readonly events: GrantEvents },
  { audit, signal }: Pick<IssueGrant, "audit" | "signal">,
  request: CreateGrant,
): Promise<Result<IssuedGrant, Failure>> {
  const all = await grants();
  const created = await all.create(request);
  if (!created.ok) return fail(fromGrantFailure(created.failure));
  const { handle, grant } = created.value;
  const isLate = () => signal?.aborted === true;
  const settled = await endReplacedGrants({ audit, events, isLate }, created.value.endReplaced);
  if (!settled.ok) {
    // The caller did not get the handle.
    const discarded = await all.discard(grant);
    audit.add({ grantMade: true, ...revokedFacts(grant), grantRevoked: discarded.ok });
    return settled;
  }
  audit.add({ grantId: grant.id, subjectObjectId: grant.user.objectId, grantMade: true });
  events.publish(aboutGrant("created", grant));
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
