/**
 * THE STORY: from a request to a token, every stage in order, one early return each.
 *
 *   1 caller      who calls, and whose permission is used        caller/, grants/
 *   2 policy      what this caller may have                      policy/
 *   3 cache       a token that is still good                     cache/
 *   4 flow        else ask Entra                                 flows/ → entra/ → outbound/
 *   5 release     hold Entra's scopes against the caller's list  policy/
 *   6 grant       keep the permission, if asked and allowed      keep-permission.ts → grants/
 *
 * Nothing before `policy` talks to Entra on the caller's behalf; nothing after it widens what policy allowed.
 */

import { type Acquirers, acquireToken } from "./acquire-token.ts";
import type { ApiScopes } from "./api-scopes.ts";
import { askedFacts } from "./asked-facts.ts";
import type { AuditFacts } from "./audit/audit-event.ts";
import type { Authenticator } from "./authenticate.ts";
import type { OpenedCode } from "./authorize/authorization-code.ts";
import type { CacheLevel } from "./cache/token-cache.ts";
import type { Caller } from "./caller/caller.ts";
import type { EntraToken } from "./entra/entra-token.ts";
import type { ExchangeRequest, Wish } from "./exchange-request.ts";
import type { Failure } from "./failure.ts";
import type { GrantKeeper, KeptGrant } from "./keep-grant.ts";
import { keepPermission } from "./keep-permission.ts";
import type { Permission } from "./permission.ts";
import { checkReleasedScopes } from "./policy/check-released-scopes.ts";
import { decide } from "./policy/decide.ts";
import type { ApiAllowance, Entitlement } from "./policy/entitlement.ts";
import type { Policy } from "./policy/rules.ts";
import { fail, type Result, succeed } from "./result.ts";
import { offerForEnded, offerSignIn } from "./sign-in/offer-sign-in.ts";
import type { SignInParts } from "./sign-in/sign-in-rooms.ts";
import { type Presenter, whoseToken } from "./whose-token.ts";

export interface Stages extends Authenticator, Acquirers {
  readonly policy: Policy;
  readonly grants: GrantKeeper;
  /** Undefined unless policy has a use for signing in here. */
  readonly signIn: SignInParts | undefined;
}

/** A token that may leave, with all that an answer says about it. */
export interface Exchange {
  readonly caller: Caller;
  readonly entitlement: Entitlement;
  readonly token: EntraToken;
  /** When the caller should ask again: the token's end, or that of the right to it, seconds since 1970. */
  readonly usableUntilSeconds: number;
  /** True scopes of the token, bare. */
  readonly scopes: readonly string[];
  readonly cache: CacheLevel;
  /** The grant that was made or redeemed. */
  readonly grant: KeptGrant | undefined;
}

/** Runs the path. `note` takes what the audit event will say; failures are values, only bugs throw. */
export async function exchangeToken(
  stages: Stages,
  request: ExchangeRequest,
  note: (facts: Partial<AuditFacts>) => void,
): Promise<Result<Exchange, Failure>> {
  const presented = await whoseToken(stages, request, note);
  if (!presented.ok) {
    return fail(await offerForEnded(stages, presented.failure));
  }
  const { caller, permission } = presented.value;

  const entitlement = entitle(stages, request, presented.value, note);
  if (!entitlement.ok) {
    return entitlement;
  }

  const acquired = await acquireToken(stages, { request, caller, permission, entitlement: entitlement.value });
  if (!acquired.ok) {
    return fail(await offerSignIn(stages, presented.value, acquired.failure));
  }
  const { token, level, warning } = acquired.value;
  note({ cache: level, scopesReturned: token.scopes, ...(warning === undefined ? {} : { warning }) });
  if (permission.source === "code" && token.user !== undefined) {
    note({ subjectObjectId: token.user.objectId });
  }

  const released = checkReleasedScopes(entitlement.value, token.scopes);
  if (!released.ok) {
    return fail({ kind: "scope_surplus", entry: entitlement.value.entry, surplus: released.failure.surplus });
  }

  const keeping = { caller, permission, entitlement: entitlement.value, token, scopes: released.value, note };
  const grant = await keepPermission(stages, keeping, request);
  if (!grant.ok) {
    return grant;
  }
  return succeed({
    caller,
    entitlement: entitlement.value,
    token,
    usableUntilSeconds: usableUntil(token, permission, entitlement.value),
    scopes: released.value,
    cache: level,
    grant: grant.value,
  });
}

/**
 * A person's right ends with the token that they presented, however long Entra's lives; who keeps ours any longer would act
 * for somebody who may have left. A long-lived token (`cae`) is another matter: there the API itself asks for a newer one.
 */
function usableUntil({ expiresAtSeconds }: EntraToken, permission: Permission, { cae }: Entitlement): number {
  return permission.source === "user" && !cae
    ? Math.min(expiresAtSeconds, permission.subject.expiresAtSeconds)
    : expiresAtSeconds;
}

function entitle(
  stages: Stages,
  request: ExchangeRequest,
  { caller, permission }: Presenter,
  note: (facts: Partial<AuditFacts>) => void,
): Result<Entitlement, Failure> {
  const decision = decide(stages.policy, {
    caller,
    flow: request.ask.flow,
    wish: request.wish,
    ...(permission.source === "user" ? { subject: permission.subject } : {}),
    ...(permission.source === "grant" ? { given: permission.grant.grant.apis } : {}),
    ...(permission.source === "code" ? decidedBefore(request.wish, permission.code) : {}),
  });
  if (!decision.ok) {
    return fail({ kind: "policy_refused", ...decision.failure });
  }
  const { entry, api, scopes, also } = decision.value;
  note(askedFacts(entry, [{ api: api.name, scopes }, ...also.map(toScopes)]));
  return decision;
}

function toScopes({ api, scopes }: ApiAllowance): ApiScopes {
  return { api: api.name, scopes };
}

/** RFC 6749 section 4.1.3 repeats no scopes: what was decided when the request was pushed is decided again. */
function decidedBefore(wish: Wish, { apis, offlineAccess, redirectUri, bound }: OpenedCode) {
  return { given: apis, ...(bound === undefined ? {} : { bound }), redirectUri, wish: { ...wish, offlineAccess } };
}
