/**
 * Grants as the path uses them: makes one of a permission that is to be kept, opens one for its caller, and turns the store's failures into ours. Without a grant store (none configured) no handle opens, and the
 * configuration has already refused a policy that would make one.
 */
import type { CoveredApis } from "./api-scopes.ts";
import type { AuditFacts } from "./audit/audit-event.ts";
import type { Caller } from "./caller/caller.ts";
import type { Covered } from "./cover-apis.ts";
import type { EntraToken } from "./entra/entra-token.ts";
import type { EndedGrant, Failure } from "./failure.ts";
import { ours, toFailure } from "./grant-failure.ts";
import type { Grant, GrantFailure, GrantPage, GrantReach, GrantUser, OpenedGrant } from "./grants/grant.ts";
import type { Grants, MakeGrant } from "./grants/grants.ts";
import { parseHandle } from "./grants/handle.ts";
import type { Permission } from "./permission.ts";
import type { Entitlement } from "./policy/entitlement.ts";
import type { Policy } from "./policy/rules.ts";
import { entryFor } from "./policy/weigh.ts";
import { fail, type Result, succeed } from "./result.ts";
import type { SecretValue } from "./secret-value.ts";

/** A grant as an answer speaks of it. */
export interface KeptGrant {
  readonly id: string;
  /** Present only when it was just made: the one time that the handle is shown. */
  readonly handle: SecretValue | undefined;
  readonly expiresAtSeconds: number;
}

type Note = (facts: Partial<AuditFacts>) => void;

export interface KeepGrant {
  readonly caller: Caller;
  readonly permission: Permission;
  readonly entitlement: Entitlement;
  readonly token: EntraToken;
  /** What the permission covers. */
  readonly covered: Covered;
  /** True once the caller has been told that it took too long. */
  readonly isOver?: (() => boolean) | undefined;
  readonly note: Note;
}

/** A grant that a person has confirmed, for an application that is not there. */
export interface KeepConfirmed {
  readonly clientId: string;
  readonly user: GrantUser;
  readonly entitlement: Entitlement;
  /** What the person saw. */
  readonly apis: CoveredApis;
  readonly refreshToken: SecretValue;
  /** Chosen beforehand, so that a form sent twice makes one grant, and shows it twice. */
  readonly handle: SecretValue;
  readonly createdAtSeconds: number;
  readonly isOver: () => boolean;
  readonly note: Note;
}

export type ForbidConfirmed = Pick<KeepConfirmed, "clientId" | "user" | "handle" | "createdAtSeconds" | "note">;

export interface GrantKeeper {
  open(handle: SecretValue, caller: Caller): Promise<Result<OpenedGrant, Failure>>;
  /** Makes a grant; none where no store is configured. */
  keep(request: KeepGrant): Promise<Result<KeptGrant | undefined, Failure>>;
  /** The same grant again, handle and all, where the same confirmation has come before. */
  keepConfirmed(request: KeepConfirmed): Promise<Result<KeptGrant, Failure>>;
  /** The answer was no: ends what a yes to the same confirmation has made, and stops one that is under way. */
  forbidConfirmed(request: ForbidConfirmed): Promise<Result<true, Failure>>;
  /**
   * Notes a redemption, and stores the newer refresh token if Entra gave one. Fails only when the grant was revoked
   * meanwhile; a store that is down loses nothing, because the older refresh token still works.
   */
  redeemed(grant: OpenedGrant, newer: SecretValue | undefined): Promise<Result<true, Failure>>;
  /** The caller's own, and for a person also what applications have in their name. */
  list(caller: Caller, after: string | undefined): Promise<Result<GrantPage, Failure>>;
  /** By handle, or by the id that `GET /grants` shows. True when something was revoked. */
  revoke(handleOrId: SecretValue, caller: Caller, note: Note): Promise<Result<boolean, Failure>>;
}

/** Grants in one page of `GET /grants`. */
const PAGE_SIZE = 50;

const GRANT_ID = /^[0-9a-f]{64}$/;

export interface GrantKeeperInput {
  readonly policy: Policy;
  /** Resolved on first use: the table and JWE parts of the bundle are lazy. Undefined: no store is configured. */
  readonly grants: (() => Promise<Grants>) | undefined;
  /** A rotation that could not be stored. */
  readonly onRotationLost: (grantId: string, failure: Failure) => void;
}

export function createGrantKeeper({ policy, grants, onRotationLost }: GrantKeeperInput): GrantKeeper {
  return {
    async open(handle, caller) {
      const opened = await (await grants?.())?.open(handle, caller);
      if (opened?.ok === true) {
        return opened;
      }
      const refused: Failure =
        opened === undefined ? { kind: "grant_refused", reason: "unknown" } : toFailure(opened.failure);
      return refused.kind === "grant_refused"
        ? fail({ ...refused, ...grantIdOf(handle), ...whatEnded(policy, caller, opened) })
        : fail(refused);
    },
    keep: (request) => keep(grants, request),
    keepConfirmed: (request) => keepConfirmed(grants, request),
    forbidConfirmed: (request) => forbidConfirmed(grants, request),
    async redeemed(grant, newer) {
      const all = await grants?.();
      const written = await (newer === undefined ? all?.touch(grant) : all?.rotated(grant, newer));
      if (written?.ok !== false) {
        return succeed(true);
      }
      const failure = toFailure(written.failure);
      if (failure.kind === "grant_refused") {
        return fail(failure);
      }
      onRotationLost(grant.grant.id, failure);
      return succeed(true);
    },
    async list(caller, after) {
      const page = { limit: PAGE_SIZE, ...(after === undefined ? {} : { after }), ...reachOf(policy, caller) };
      const listed = await (await grants?.())?.list(caller, page);
      return listed === undefined ? succeed({ grants: [], next: undefined }) : ours(listed);
    },
    async revoke(handleOrId, caller, note) {
      const all = await grants?.();
      const { grantId } = grantIdOf(handleOrId);
      if (all === undefined || grantId === undefined) {
        return succeed(false);
      }
      note({ grantId, grantRevoked: false });
      const revoked = ours(await all.revokeById(grantId, caller, reachOf(policy, caller)));
      if (!revoked.ok) {
        // RFC 7009 section 2.2: what is not there, or not this caller's, is not an error, and both look alike.
        return revoked.failure.kind === "grant_refused" ? succeed(false) : revoked;
      }
      if (revoked.value === undefined) {
        return succeed(false);
      }
      note(endedFacts(revoked.value));
      return succeed(true);
    },
  };
}

/** The name of a grant in the trail, whether it is there or not; a handle that is none has no name. */
function grantIdOf(handleOrId: SecretValue): { readonly grantId?: string } {
  const text = handleOrId.reveal();
  if (GRANT_ID.test(text)) {
    return { grantId: text };
  }
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
  opened: Result<OpenedGrant, GrantFailure> | undefined,
): { readonly ended?: EndedGrant } {
  const expired = opened?.ok === false && opened.failure.kind === "grant_expired" ? opened.failure : undefined;
  const grant = expired?.sealedRecord;
  const entry = caller.kind === "application" ? entryFor(policy, caller) : undefined;
  return grant === undefined || entry === undefined
    ? {}
    : { ended: { entry: entry.name, confidential: caller.confidential, grant } };
}

/** A person sees and ends what applications have in their name, through any client that policy knows. */
function reachOf(policy: Policy, caller: Caller): GrantReach {
  return { inTheirName: caller.kind === "user" && entryFor(policy, caller) !== undefined };
}

async function keep(
  grants: GrantKeeperInput["grants"],
  request: KeepGrant,
): Promise<Result<KeptGrant | undefined, Failure>> {
  const { caller, entitlement, covered } = request;
  if (grants === undefined) {
    return succeed(undefined);
  }
  const user = ownerOf(request);
  if (!user.ok) {
    return user;
  }
  if (covered.refreshToken === undefined) {
    return fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
  }
  return make(grants, request, {
    binding: { kind: caller.kind, tenantId: caller.tenantId, clientId: caller.clientId },
    user: user.value,
    refreshToken: covered.refreshToken,
    apis: covered.apis,
    ...grantTerms(entitlement),
  });
}

async function keepConfirmed(
  grants: GrantKeeperInput["grants"],
  request: KeepConfirmed,
): Promise<Result<KeptGrant, Failure>> {
  if (grants === undefined) {
    return fail({ kind: "misconfigured", code: "grant_store_missing" });
  }
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

async function forbidConfirmed(
  grants: GrantKeeperInput["grants"],
  { clientId, user, handle, createdAtSeconds, note }: ForbidConfirmed,
): Promise<Result<true, Failure>> {
  const caller = { kind: "application", tenantId: user.tenantId, clientId, objectId: user.objectId } as const;
  const ended = await (await grants?.())?.forbid({ handle, caller, createdAtSeconds });
  if (ended?.ok === false) {
    return fail(toFailure(ended.failure));
  }
  note(ended?.value === undefined ? {} : endedFacts(ended.value));
  return succeed(true);
}

function grantTerms({ grantMaxDays, entry }: Entitlement) {
  return { maxDays: grantMaxDays, policyEntry: entry };
}

async function make(
  grants: () => Promise<Grants>,
  { note, isOver }: Pick<KeepGrant, "note" | "isOver">,
  request: MakeGrant,
): Promise<Result<KeptGrant, Failure>> {
  const all = await grants();
  const made = await all.make(request);
  if (!made.ok) {
    return fail(toFailure(made.failure));
  }
  const { handle, grant, before } = made.value;
  if (isOver?.() === true && !before) {
    // Whoever has been told that it took too long has no handle for it: it must not lie about.
    const unmade = await all.unmake(grant);
    note({ grantMade: true, ...endedFacts(grant), grantRevoked: unmade.ok });
    return fail({ kind: "deadline_passed" });
  }
  note({ grantId: grant.id, subjectObjectId: grant.user.objectId, ...(before ? {} : { grantMade: true }) });
  return succeed({ id: grant.id, handle, expiresAtSeconds: grant.expiresAtSeconds });
}

/** Whose grant it will be. Entra's answer must be about the user whose token went in, or who imports its own. */
function ownerOf({ caller, permission, token }: KeepGrant): Result<GrantUser, Failure> {
  const { user } = token;
  if (user === undefined) {
    return fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
  }
  const expected = expectedOwner(caller, permission);
  const same = expected === undefined || (expected.objectId === user.objectId && expected.tenantId === user.tenantId);
  return same ? succeed(user) : fail({ kind: "grant_refused", reason: "user_changed" });
}

function expectedOwner(caller: Caller, permission: Permission): GrantUser | undefined {
  if (permission.source === "user") {
    return permission.subject;
  }
  return caller.kind === "user" ? caller : undefined;
}
