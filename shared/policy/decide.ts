/**
 * Stage 3 of 5: policy. Receives the caller, whose token it is, and the wish; gives an entitlement or the rule that
 * refused. Pure: no I/O, no clock. Entra does not downscope (a delegated token carries every consented scope), so the
 * entitlement also says what may be released; `check-released-scopes.ts` holds Entra's answer against it.
 */
import type { ApplicationCaller, Caller, UserCaller } from "../caller/caller.ts";
import type { Wish } from "../exchange-request.ts";
import type { PolicyRefusal } from "../failure.ts";
import { fail, type Result, succeed } from "../result.ts";
import { type ChosenApi, chooseApi } from "./choose-api.ts";
import type { Entitlement } from "./entitlement.ts";
import type { CallerRule, FlowName, Policy } from "./rules.ts";

/** A request after authentication, as policy sees it. */
export interface DecisionInput {
  readonly caller: Caller;
  readonly flow: FlowName;
  readonly wish: Wish;
  /** On-behalf-of: whose token is exchanged. Equal to the caller for a user who exchanges itself. */
  readonly subject?: UserCaller;
  /** Refresh token: what the grant was made for; absent for a raw refresh token of Entra's. */
  readonly grant?: { readonly api: string; readonly scopes: readonly string[] };
}

export interface PolicyRefused {
  readonly reason: PolicyRefusal;
  /** The entry that matched the caller, if one did. */
  readonly entry?: string;
}

/** Decides; the first rule that does not hold refuses. */
export function decide(policy: Policy, input: DecisionInput): Result<Entitlement, PolicyRefused> {
  const entry = entryFor(policy, input.caller);
  if (entry === undefined) {
    return fail({ reason: "caller_not_listed" });
  }
  const refuse = (reason: PolicyRefusal) => fail({ reason, entry: entry.name });
  const refusal = callerRefusal(entry, input);
  if (refusal !== undefined) {
    return refuse(refusal);
  }
  const api = chooseApi(policy, input.wish, input.grant?.api);
  if (!api.ok) {
    return refuse(api.failure);
  }
  const releasable = releasableScopes(policy, entry, input, api.value);
  if (!releasable.ok) {
    return refuse(releasable.failure);
  }
  const scopes = scopesToAsk(api.value, releasable.value, input);
  return scopes.ok ? succeed(entitle(entry, input, api.value, releasable.value, scopes.value)) : refuse(scopes.failure);
}

/** The one entry that matches, or nothing: kind and client id exactly, and the role where the entry names one. */
export function entryFor(policy: Policy, caller: Caller): CallerRule | undefined {
  const clientId = caller.clientId.toLowerCase();
  return policy.callers.find(
    (entry) =>
      entry.kind === caller.kind &&
      entry.clientId === clientId &&
      (entry.role === undefined || caller.roles.includes(entry.role)),
  );
}

function callerRefusal(entry: CallerRule, input: DecisionInput): PolicyRefusal | undefined {
  if (entry.requireConfidentialClient && !input.caller.confidential) {
    return "public_client";
  }
  if (!entry.flows.includes(input.flow)) {
    return "flow_not_allowed";
  }
  if (input.wish.offlineAccess && keepsGrant(input.flow) && !entry.offlineAccess) {
    return "offline_access_not_allowed";
  }
  if (input.flow === "refresh-token") {
    return redemptionRefusal(entry, input);
  }
  return undefined;
}

function redemptionRefusal(entry: CallerRule, input: DecisionInput): PolicyRefusal | undefined {
  if (input.grant === undefined) {
    return entry.importRefreshTokens ? undefined : "import_not_allowed";
  }
  return entry.kind === "application" && !entry.unattended ? "unattended_not_allowed" : undefined;
}

/** The caller's list, narrowed by the list of the client that obtained the subject's token and by the grant. */
function releasableScopes(
  policy: Policy,
  entry: CallerRule,
  input: DecisionInput,
  api: ChosenApi,
): Result<readonly string[], PolicyRefusal> {
  let scopes: readonly string[] = listed(entry, api.name);
  if (input.caller.kind === "application" && input.subject !== undefined) {
    const subjectEntry = subjectClientEntry(policy, entry, input.caller, input.subject);
    if (subjectEntry === undefined) {
      return fail("subject_client_not_allowed");
    }
    const theirs = listed(subjectEntry, api.name);
    scopes = scopes.filter((scope) => theirs.includes(scope));
  }
  if (input.grant !== undefined && input.grant.api !== api.name) {
    return fail("api_not_allowed");
  }
  return scopes.length === 0 ? fail("api_not_allowed") : succeed(scopes);
}

function subjectClientEntry(
  policy: Policy,
  entry: CallerRule,
  caller: ApplicationCaller,
  subject: UserCaller,
): CallerRule | undefined {
  const allowed = entry.subjectClients ?? [caller.clientId.toLowerCase()];
  const theirs = allowed.includes(subject.clientId.toLowerCase()) ? entryFor(policy, subject) : undefined;
  return theirs?.requireConfidentialClient && !subject.confidential ? undefined : theirs;
}

function listed(entry: CallerRule, apiName: string): readonly string[] {
  return Object.hasOwn(entry.apis, apiName) ? (entry.apis[apiName] ?? []) : [];
}

function scopesToAsk(
  api: ChosenApi,
  releasable: readonly string[],
  input: DecisionInput,
): Result<readonly string[], PolicyRefusal> {
  const { grant } = input;
  // RFC 6749 section 6: a refresh never asks for more than was granted.
  const within = grant === undefined ? releasable : releasable.filter((scope) => grant.scopes.includes(scope));
  if (input.flow === "client-credentials" && !within.includes(".default")) {
    // An application token carries every permission of its registration; Entra takes no narrower wish.
    return fail("scope_not_allowed");
  }
  const asked = api.scopes === undefined || api.scopes.length === 0 ? within : api.scopes;
  if (asked.length === 0 || !asked.every((scope) => within.includes(scope))) {
    return fail("scope_not_allowed");
  }
  return succeed([...new Set(asked)].sort());
}

function keepsGrant(flow: FlowName): boolean {
  return flow === "on-behalf-of" || flow === "authorization-code";
}

function entitle(
  entry: CallerRule,
  input: DecisionInput,
  api: ChosenApi,
  releasable: readonly string[],
  scopes: readonly string[],
): Entitlement {
  return {
    entry: entry.name,
    flow: input.flow,
    api: { name: api.name, resource: api.rule.resource, contentType: api.rule.contentType },
    scopes,
    releasable,
    acceptSurplus: entry.acceptSurplus,
    offlineAccess: input.wish.offlineAccess && keepsGrant(input.flow),
    grantMaxDays: entry.grantMaxDays,
    importRefreshTokens: entry.importRefreshTokens,
    // Graph's own challenges reach the caller, who must know how to answer them.
    cae: entry.cae && input.caller.understandsClaimsChallenge,
    bypassPerMinute: entry.limits.bypassPerMinute ?? DEFAULT_BYPASS_PER_MINUTE,
  } as Entitlement;
}

/** Enough for a person who answers challenges; too few to use us as a hammer on Entra. */
const DEFAULT_BYPASS_PER_MINUTE = 10;
