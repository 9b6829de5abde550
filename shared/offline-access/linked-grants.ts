/**
 * Grants that an application requests with a link: the handle is made with the link and becomes live when a person
 * allows it. The same handle becomes live again when that person allows it again. Without a grant store there are none.
 */
import type { AuditFacts } from "../audit/audit-event.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { ConsentedApis } from "../core/api-scopes.ts";
import type { Failure } from "../core/failure.ts";
import type { GrantEvents } from "../core/grant-event.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { UserIdentity } from "../core/user-identity.ts";
import { aboutGrant } from "../events/about-grant.ts";
import type { AllowedGrant } from "../grants/allow-grant.ts";
import type { GrantHandle } from "../grants/grant-handle.ts";
import type { GrantFailure } from "../grants/grant-types.ts";
import type { Grants, RequestGrant, RevokedGrant } from "../grants/grants.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import { fromGrantFailure, fromGrantResult } from "./grant-failure.ts";

/** A person allowed it on the confirmation page, for an application that is not present. */
export interface AllowLinkedGrant {
  readonly clientId: string;
  /** Client id of the registration that Entra issued the refresh token for. */
  readonly registration: string;
  readonly user: UserIdentity;
  readonly entitlement: Entitlement;
  /** The APIs that the confirmation page showed. */
  readonly apis: ConsentedApis;
  readonly refreshToken: SecretValue;
  /** The handle of the link. */
  readonly handle: SecretValue;
  /** The link renews a grant. */
  readonly heals: boolean;
  /** Id of the confirmation, so that a form that is sent twice counts once. */
  readonly confirmation: string;
  /** When the confirmation began, seconds since 1970. */
  readonly allowedAtSeconds: number;
  readonly signal: AbortSignal;
  readonly audit: AuditTrail;
}

export type DeclineLinkedGrant = Pick<AllowLinkedGrant, "clientId" | "user" | "handle" | "confirmation" | "audit">;

/** What the page after *Allow* shows. */
export interface LinkedGrant {
  readonly id: string;
  readonly expiresAtSeconds: number;
}

export interface LinkedGrants {
  /** Makes a handle that is not live yet. */
  request(request: RequestGrant): Promise<Result<GrantHandle, Failure>>;
  /** Whether a link can still be answered. Refuses with `link_used`. */
  checkAnswerable(link: Pick<AllowLinkedGrant, "handle" | "heals">): Promise<Result<true, Failure>>;
  /** Makes the grant live. If the same confirmation allowed it before, returns the same grant. */
  allow(request: AllowLinkedGrant): Promise<Result<LinkedGrant, Failure>>;
  /** Ends a grant that is only requested, or that the same confirmation allowed. Leaves every other grant as it is. */
  decline(request: DeclineLinkedGrant): Promise<Result<true, Failure>>;
}

type LazyGrants = () => Promise<Grants>;

export function createLinkedGrants(grants: LazyGrants | undefined, events: GrantEvents): LinkedGrants {
  const withStore = async <T>(use: (all: Grants) => Promise<Result<T, Failure>>): Promise<Result<T, Failure>> =>
    grants === undefined ? fail({ kind: "misconfigured", code: "grant_store_missing" }) : use(await grants());
  return {
    request: (request) => withStore(async (all) => fromGrantResult(await all.request(request))),
    checkAnswerable: (link) =>
      withStore(async (all) => {
        const answerable = await all.checkAnswerable(link);
        return answerable.ok ? answerable : fail(fromLinkFailure(answerable.failure, "link_used"));
      }),
    allow: (request) => withStore((all) => allow(all, events, request)),
    decline: (request) => withStore((all) => decline(all, events, request)),
  };
}

export function revokedFacts({ id, binding, user }: RevokedGrant): Partial<AuditFacts> {
  const subject = user === undefined ? {} : { subjectObjectId: user.objectId };
  return { grantId: id, grantRevoked: true, grantClientId: binding.clientId, ...subject };
}

export interface NewGrantOutcome {
  readonly audit: AuditTrail;
  readonly events: GrantEvents;
  /** Whether the deadline has passed, so that the caller or the person got 504. */
  readonly isLate: () => boolean;
}

/**
 * Ends the grants whose place a new one takes, as late as possible, so that a request that got 504 ends none. A failure: the new
 * grant has to be undone.
 */
export async function endReplacedGrants(
  { audit, events, isLate }: NewGrantOutcome,
  endReplaced: AllowedGrant["endReplaced"],
): Promise<Result<true, Failure>> {
  if (isLate()) return fail({ kind: "deadline_passed" });
  const replaced = await endReplaced();
  if (!replaced.ok) return fail(fromGrantFailure(replaced.failure));
  if (replaced.value.length > 0) audit.add({ grantReplaced: replaced.value.map(({ id }) => id).join(" ") });
  for (const grant of replaced.value) events.publish(aboutGrant("revoked", grant, { reason: "replaced" }));
  return isLate() ? fail({ kind: "deadline_passed" }) : succeed(true);
}

// ---------------------------------------------------------------------------------------------------------------

async function allow(
  all: Grants,
  events: GrantEvents,
  request: AllowLinkedGrant,
): Promise<Result<LinkedGrant, Failure>> {
  const { clientId, user, entitlement, signal, audit, ...rest } = request;
  const allowed = await all.allow({
    ...rest,
    user,
    binding: { kind: "application", tenantId: user.tenantId, clientId },
    maxDays: entitlement.grantMaxDays,
    keepAliveDays: entitlement.keepAliveDays,
    maxGrantsPerUser: entitlement.maxGrantsPerUser,
    policyEntry: entitlement.entry,
  });
  if (!allowed.ok) return fail(fromLinkFailure(allowed.failure, "confirmation_used"));
  const { grant, outcome, endReplaced, undo } = allowed.value;
  const facts = { grantId: grant.id, subjectObjectId: grant.user.objectId, ...OUTCOME_FACTS[outcome] };
  const isLate = () => signal.aborted && outcome !== "existed";
  const settled = await endReplacedGrants({ audit, events, isLate }, endReplaced);
  if (!settled.ok) {
    // The person did not get the page. Sending the form again allows it again.
    const undone = await undo();
    audit.add({ ...facts, grantRevoked: undone.ok && undone.value, grantClientId: clientId });
    return settled;
  }
  audit.add(facts);
  if (outcome !== "existed") events.publish(aboutGrant(KIND_OF_EVENT[outcome], grant));
  return succeed({ id: grant.id, expiresAtSeconds: grant.expiresAtSeconds });
}

const OUTCOME_FACTS: Readonly<Record<AllowedGrant["outcome"], Partial<AuditFacts>>> = {
  made: { grantMade: true },
  healed: { grantHealed: true },
  existed: {},
};

const KIND_OF_EVENT = { made: "created", healed: "healed" } as const;

async function decline(
  all: Grants,
  events: GrantEvents,
  { audit, ...request }: DeclineLinkedGrant,
): Promise<Result<true, Failure>> {
  const declined = await all.decline(request);
  if (!declined.ok) return fail(fromGrantFailure(declined.failure));
  if (declined.value === undefined) return succeed(true);
  audit.add(revokedFacts(declined.value));
  events.publish(aboutGrant("revoked", declined.value));
  return succeed(true);
}

/** A browser learns that the link or the form is over, not whether a grant exists. */
function fromLinkFailure(failure: GrantFailure, over: "link_used" | "confirmation_used"): Failure {
  const isOver = failure.kind === "grant_unknown" || failure.kind === "grant_revoked";
  return isOver ? { kind: "sign_in_refused", reason: over } : fromGrantFailure(failure);
}
