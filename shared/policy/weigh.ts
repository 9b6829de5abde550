/**
 * The rules themselves: who matches which entry, and what the entry allows. Works on facts that need not be proved, so
 * that `/policy/explain` can ask about callers that are not there; `decide.ts` makes an entitlement of the answer, and
 * only for a validated caller. Pure: no I/O, no clock.
 */
import type { Caller } from "../caller/caller.ts";
import type { Wish } from "../exchange-request.ts";
import type { PolicyRefusal } from "../failure.ts";
import { fail, type Result, succeed } from "../result.ts";
import { type ChosenApi, chooseApi } from "./choose-api.ts";
import type { Allowance } from "./entitlement.ts";
import type { CallerRule, FlowName, Policy } from "./rules.ts";

/** What policy looks at of a caller. */
export type PolicyCaller = Pick<Caller, "kind" | "clientId" | "roles" | "confidential" | "understandsClaimsChallenge">;

/** A request as policy sees it. */
export interface Weighing {
  readonly caller: PolicyCaller;
  readonly flow: FlowName;
  readonly wish: Wish;
  /** On-behalf-of: whose token is exchanged. Equal to the caller for a user who exchanges itself. */
  readonly subject?: PolicyCaller;
  /** Refresh token: what the grant was made for; absent for a raw one of Entra's. Code: what was decided at its start. */
  readonly grant?: { readonly api: string; readonly scopes: readonly string[] };
  /** Authorization code: where the browser is sent back to. */
  readonly redirectUri?: string;
}

/** A sign-in by which a person makes a grant for an application that is not there: a link, or its confirmation. */
export interface SignInInput {
  /** Name of the application's entry, and the client that it must still be about. */
  readonly entry: string;
  readonly clientId: string;
  readonly wish: Pick<Wish, "audiences" | "resources" | "scopes">;
}

export interface PolicyRefused {
  readonly reason: PolicyRefusal;
  /** The entry that matched the caller, if one did. */
  readonly entry?: string;
}

/** Weighs a request; the first rule that does not hold refuses. */
export function weigh(policy: Policy, input: Weighing): Result<Allowance, PolicyRefused> {
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
  const listed = listedScopes(policy, entry, input, api.value);
  if (!listed.ok) {
    return refuse(listed.failure);
  }
  const scopes = scopesToAsk(api.value, listed.value, input);
  return scopes.ok
    ? succeed(
        allow({
          entry,
          flow: input.flow,
          api: api.value,
          ...releasableScopes(entry, listed.value, input),
          scopes: scopes.value,
          offlineAccess: input.wish.offlineAccess && keepsGrant(input.flow),
          // Graph's own challenges reach the caller, who must know how to answer them.
          cae: entry.cae && input.caller.understandsClaimsChallenge,
        }),
      )
    : refuse(scopes.failure);
}

/** Decides whether a person may make a grant for an application: only one that may redeem it while nobody is there. */
export function weighSignIn(policy: Policy, input: SignInInput): Result<Allowance, PolicyRefused> {
  const { wish } = input;
  const entry = policy.callers.find(({ name, clientId }) => name === input.entry && clientId === input.clientId);
  if (entry === undefined) {
    return fail({ reason: "caller_not_listed" });
  }
  const refuse = (reason: PolicyRefusal) => fail({ reason, entry: entry.name });
  const refusal = signInRefusal(entry);
  if (refusal !== undefined) {
    return refuse(refusal);
  }
  const api = chooseApi(policy, wish, undefined);
  if (!api.ok) {
    return refuse(api.failure);
  }
  const releasable = scopesOf(entry, api.value.name);
  if (releasable.length === 0) {
    return refuse("api_not_allowed");
  }
  const flow = "authorization-code";
  const scopes = scopesToAsk(api.value, releasable, { flow });
  return scopes.ok
    ? succeed(
        allow({
          entry,
          flow,
          api: api.value,
          releasable,
          acceptSurplus: entry.acceptSurplus,
          scopes: scopes.value,
          offlineAccess: true,
          cae: false,
        }),
      )
    : refuse(scopes.failure);
}

/** May a sign-in link be made for this entry at all? */
export function mayHaveLinks(entry: CallerRule): boolean {
  return signInRefusal(entry) === undefined;
}

function signInRefusal(entry: CallerRule): PolicyRefusal | undefined {
  if (entry.kind !== "application") {
    return "application_required";
  }
  if (!entry.flows.includes("refresh-token")) {
    return "flow_not_allowed";
  }
  if (!entry.unattended) {
    return "unattended_not_allowed";
  }
  return entry.offlineAccess ? undefined : "offline_access_not_allowed";
}

/** The one entry that matches, or nothing: kind and client id exactly, and the role where the entry names one. */
export function entryFor(policy: Policy, caller: PolicyCaller): CallerRule | undefined {
  const clientId = caller.clientId.toLowerCase();
  return policy.callers.find(
    (entry) =>
      entry.kind === caller.kind &&
      entry.clientId === clientId &&
      (entry.role === undefined || caller.roles.includes(entry.role)),
  );
}

function callerRefusal(entry: CallerRule, input: Weighing): PolicyRefusal | undefined {
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
  if (input.flow === "authorization-code" && !entry.redirectUris.includes(input.redirectUri ?? "")) {
    return "redirect_uri_not_allowed";
  }
  return undefined;
}

function redemptionRefusal(entry: CallerRule, input: Weighing): PolicyRefusal | undefined {
  if (input.grant === undefined && !entry.importRefreshTokens) {
    return "import_not_allowed";
  }
  return entry.kind === "application" && !entry.unattended ? "unattended_not_allowed" : undefined;
}

/** The caller's list, narrowed by the list of the client that obtained the subject's token. */
function listedScopes(
  policy: Policy,
  entry: CallerRule,
  input: Weighing,
  api: ChosenApi,
): Result<readonly string[], PolicyRefusal> {
  let scopes: readonly string[] = scopesOf(entry, api.name);
  if (input.caller.kind === "application" && input.subject !== undefined) {
    const subjectEntry = subjectClientEntry(policy, entry, input.caller, input.subject);
    if (subjectEntry === undefined) {
      return fail("subject_client_not_allowed");
    }
    const theirs = scopesOf(subjectEntry, api.name);
    scopes = scopes.filter((scope) => theirs.includes(scope));
  }
  if (input.grant !== undefined && input.grant.api !== api.name) {
    return fail("api_not_allowed");
  }
  return scopes.length === 0 ? fail("api_not_allowed") : succeed(scopes);
}

/**
 * What may leave. Entra puts every consented scope into a token, so for a kept permission the bound is what the person
 * gave when it was made (RFC 6749 section 6), whatever was consented since, and even where the entry accepts surplus.
 */
function releasableScopes(
  entry: CallerRule,
  listed: readonly string[],
  { flow, grant }: Weighing,
): Pick<Allowance, "releasable" | "acceptSurplus"> {
  if (flow !== "refresh-token" || grant === undefined) {
    return { releasable: listed, acceptSurplus: entry.acceptSurplus };
  }
  const given = entry.acceptSurplus ? grant.scopes : grant.scopes.filter((scope) => listed.includes(scope));
  return { releasable: given, acceptSurplus: false };
}

function subjectClientEntry(
  policy: Policy,
  entry: CallerRule,
  caller: PolicyCaller,
  subject: PolicyCaller,
): CallerRule | undefined {
  const allowed = entry.subjectClients ?? [caller.clientId.toLowerCase()];
  const theirs = allowed.includes(subject.clientId.toLowerCase()) ? entryFor(policy, subject) : undefined;
  return theirs?.requireConfidentialClient && !subject.confidential ? undefined : theirs;
}

function scopesOf(entry: CallerRule, apiName: string): readonly string[] {
  return Object.entries(entry.apis).find(([name]) => name === apiName)?.[1] ?? [];
}

function scopesToAsk(
  api: ChosenApi,
  listed: readonly string[],
  input: Pick<Weighing, "flow" | "grant">,
): Result<readonly string[], PolicyRefusal> {
  const { grant, flow } = input;
  // RFC 6749 section 6: a refresh never asks for more than was granted. An application token carries every permission
  // of its registration: Entra takes no narrower wish than `.default`.
  const within = listed
    .filter((scope) => grant === undefined || grant.scopes.includes(scope))
    .filter((scope) => flow !== "client-credentials" || scope === DEFAULT);
  const asked = new Set(api.scopes === undefined || api.scopes.length === 0 ? unasked(within) : api.scopes);
  const allowed = asked.size > 0 && [...asked].every((scope) => within.includes(scope));
  // Entra refuses `.default` together with anything else.
  return allowed && (asked.size === 1 || !asked.has(DEFAULT)) ? succeed([...asked].sort()) : fail("scope_not_allowed");
}

/** All registered permissions, whatever they are. */
const DEFAULT = ".default";

/** Asking nothing gives the list: the scopes that it names, else `.default`. */
function unasked(within: readonly string[]): readonly string[] {
  const named = within.filter((scope) => scope !== DEFAULT);
  return named.length > 0 ? named : within;
}

function keepsGrant(flow: FlowName): boolean {
  return flow === "on-behalf-of" || flow === "authorization-code";
}

interface Decided
  extends Pick<Allowance, "flow" | "releasable" | "acceptSurplus" | "scopes" | "offlineAccess" | "cae"> {
  readonly entry: CallerRule;
  readonly api: ChosenApi;
}

function allow({ entry, api, flow, releasable, acceptSurplus, scopes, offlineAccess, cae }: Decided): Allowance {
  return {
    entry: entry.name,
    flow,
    api: { name: api.name, resource: api.rule.resource, contentType: api.rule.contentType },
    scopes,
    releasable,
    acceptSurplus,
    offlineAccess,
    grantMaxDays: entry.grantMaxDays,
    importRefreshTokens: entry.importRefreshTokens,
    cae,
    bypassPerMinute: entry.limits.bypassPerMinute ?? DEFAULT_BYPASS_PER_MINUTE,
  };
}

/** Enough for a person who answers challenges; too few to use us as a hammer on Entra. */
const DEFAULT_BYPASS_PER_MINUTE = 10;
