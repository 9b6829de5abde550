/**
 * THE STORY: from a request to a token, every stage in order, one early return each.
 *
 *   1 caller      who calls, and whose permission is used        caller/, grants/
 *   2 policy      what this caller may have                      policy/
 *   3 cache       a token that is still good                     cache/
 *   4 flow        else ask Entra                                 flows/ → entra/ → outbound/
 *   5 release     hold Entra's scopes against the caller's list  policy/
 *   6 grant       keep the permission, if asked and allowed      grants/
 *
 * Nothing before `policy` talks to Entra on the caller's behalf; nothing after it widens what policy allowed.
 */
import type { AuditFacts } from "./audit/audit-event.ts";
import type { Authenticator } from "./authenticate.ts";
import type { BypassBudget } from "./cache/bypass-budget.ts";
import { cacheKey, identityKey } from "./cache/cache-key.ts";
import type { CacheAnswer, CacheLevel, TokenCache } from "./cache/token-cache.ts";
import type { Caller } from "./caller/caller.ts";
import type { EntraClient, EntraToken } from "./entra/entra-token.ts";
import type { ExchangeRequest } from "./exchange-request.ts";
import type { Failure } from "./failure.ts";
import { flowFor } from "./flows/flows.ts";
import type { GrantKeeper, KeptGrant } from "./keep-grant.ts";
import type { Permission } from "./permission.ts";
import { checkReleasedScopes } from "./policy/check-released-scopes.ts";
import { decide } from "./policy/decide.ts";
import type { Entitlement } from "./policy/entitlement.ts";
import type { Policy } from "./policy/rules.ts";
import { fail, type Result, succeed } from "./result.ts";
import { type Presenter, whoseToken } from "./whose-token.ts";

/** One of the two registrations: its client id, and how to ask Entra as it. */
export interface Registration {
  readonly clientId: string;
  /** Resolved on first use: MSAL is a lazy part of the bundle. */
  entra(): Promise<EntraClient>;
}

export interface Stages extends Authenticator {
  readonly tenantId: string;
  readonly policy: Policy;
  readonly cache: TokenCache;
  readonly bypassBudget: BypassBudget;
  readonly delegated: Registration;
  /** Undefined unless an application registration is configured. */
  readonly applicationOnly: Registration | undefined;
  readonly grants: GrantKeeper;
}

/** A token that may leave, with all that an answer says about it. */
export interface Exchange {
  readonly caller: Caller;
  readonly entitlement: Entitlement;
  readonly token: EntraToken;
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
    return presented;
  }
  const { caller, permission } = presented.value;

  const entitlement = entitle(stages, request, presented.value, note);
  if (!entitlement.ok) {
    return entitlement;
  }

  const acquired = await acquire(stages, request, permission, entitlement.value);
  if (!acquired.ok) {
    return acquired;
  }
  const { token, level } = acquired.value;
  note({ cache: level, scopesReturned: token.scopes });

  const released = checkReleasedScopes(entitlement.value, token.scopes);
  if (!released.ok) {
    return fail({ kind: "scope_surplus", entry: entitlement.value.entry, surplus: released.failure.surplus });
  }

  const grant = await stages.grants.keep({ caller, permission, entitlement: entitlement.value, token, note });
  if (!grant.ok) {
    return grant;
  }
  return succeed({
    caller,
    entitlement: entitlement.value,
    token,
    scopes: released.value,
    cache: level,
    grant: grant.value,
  });
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
    ...(permission.source === "grant" ? { grant: permission.grant.grant } : {}),
  });
  if (!decision.ok) {
    const { reason, entry } = decision.failure;
    return fail({ kind: "policy_refused", reason, ...(entry === undefined ? {} : { entry }) });
  }
  const { entry, api, scopes } = decision.value;
  note({ policyEntry: entry, api: api.name, scopesAsked: scopes });
  return decision;
}

async function acquire(
  stages: Stages,
  request: ExchangeRequest,
  permission: Permission,
  entitlement: Entitlement,
): Promise<Result<CacheAnswer, Failure>> {
  const registration = permission.source === "application" ? stages.applicationOnly : stages.delegated;
  if (registration === undefined) {
    return fail({ kind: "policy_refused", reason: "flow_not_allowed", entry: entitlement.entry });
  }
  const { wish, correlationId } = request;
  const bypass = wish.claims !== undefined || wish.forceRefresh;
  const wait = bypass ? stages.bypassBudget.take(budgetKey(permission), entitlement.bypassPerMinute) : undefined;
  if (wait !== undefined) {
    return fail({ kind: "throttled", retryAfterSeconds: wait });
  }
  const flow = flowFor(permission);
  const ask = async (): Promise<Result<EntraToken, Failure>> => {
    const entra = await registration.entra();
    const dependencies = { entra, grantRedeemed: stages.grants.redeemed };
    return flow.acquire(dependencies, { entitlement, claims: wish.claims, correlationId });
  };
  if (flow.identity === undefined || entitlement.offlineAccess) {
    // Whoever wants a grant needs Entra's refresh token, which no cache keeps.
    const token = await ask();
    return token.ok ? succeed({ token: token.value, level: "bypass" }) : token;
  }
  const key = cacheKey({
    tenantId: stages.tenantId,
    registration: registration.clientId,
    flow: entitlement.flow,
    resource: entitlement.api.resource,
    scopes: entitlement.scopes,
    cae: entitlement.cae,
    identity: flow.identity,
  });
  const lookUp = { key, minimumSeconds: wish.minimumSeconds, bypass, notAfterSeconds: flow.notAfterSeconds };
  return stages.cache.getOrAcquire(lookUp, ask);
}

/** The budget is a user's where there is one, else the registration's. */
function budgetKey(permission: Permission): string {
  switch (permission.source) {
    case "user":
      return identityKey(permission.subject);
    case "grant":
      return identityKey(permission.grant.grant.user);
    case "imported":
    case "application":
      return permission.source;
  }
}
