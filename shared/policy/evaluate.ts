/**
 * The policy rules: which entry matches a caller, and what the entry allows. The input may be hypothetical, so that
 * `/policy/explain` can ask about any caller. `decide.ts` makes an entitlement of the result, but only for a validated
 * caller. Pure: no I/O, no clock.
 */

import type { ApiScopes, ConsentedApis, ReleaseBound } from "../core/api-scopes.ts";
import type { DownstreamCall } from "../core/downstream-target.ts";
import type { TokenParameters } from "../core/exchange-request.ts";
import type { PolicyRefusal, PolicyRefused } from "../core/failure.ts";
import type { FlowName } from "../core/flow-name.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import {
  type Choice,
  chooseApis,
  type Refusal,
  type RequestedApi,
  type RequestedApis,
  requestedApi,
} from "./choose-apis.ts";
import type { Allowance, ApiAllowance } from "./entitlement.ts";
import { type SealedClient, stillMatches } from "./entries-of-client.ts";
import { evaluateApi } from "./evaluate-api.ts";
import { evaluateUse } from "./evaluate-use.ts";
import { entryFor, named, noEntry, type PolicyCaller } from "./find-entry.ts";
import type { CallerRule, Policy } from "./rules.ts";
import { withoutResource } from "./scope-names.ts";

/** A request as policy sees it. */
export interface PolicyInput {
  readonly caller: PolicyCaller;
  readonly flow: FlowName;
  readonly tokenParameters: TokenParameters;
  /** On-behalf-of: the user whose token is exchanged. Equals the caller if a user exchanges its own token. */
  readonly subject?: PolicyCaller;
  /**
   * Refresh token: the consented APIs of the grant; absent for an import. Code: the APIs that were allowed at its
   * start.
   */
  readonly given?: ConsentedApis;
  /** Authorization code: what the confirmation page showed, if there was one. */
  readonly bound?: ReleaseBound;
  /** Authorization code: the redirect URI of the request. */
  readonly redirectUri?: string;
  /** The request to the API. Undefined: the token is released to the caller. */
  readonly relay?: DownstreamCall;
  /** The service keeps a grant alive: the token is neither released nor sent to an API. */
  readonly keepsAlive?: true;
}

/**
 * A sign-in in which a person creates a grant for an application that is not present: the link, or its confirmation.
 */
export interface SignInInput extends SealedClient {
  /** Name of the application's entry. It must still be the entry that matches this client. */
  readonly entry: string;
  /** The APIs of the grant. An API without scopes stands for the entry's list. */
  readonly apis: ConsentedApis;
}

/** Evaluates a token request. The first rule that is not met refuses. */
export function evaluate(policy: Policy, input: PolicyInput): Result<Allowance, PolicyRefused> {
  const entry = entryFor(policy, input.caller);
  if (entry === undefined) return fail(noEntry(policy, input.caller));
  const refuse = (refusal: Refusal, api?: RequestedApi) =>
    fail({ ...withKnownApis(policy, entry, refusal), ...named(entry), ...refusedApi(api) });
  const refusal = callerRefusal(entry, input);
  if (refusal !== undefined) return refuse({ reason: refusal, ...refusedByEntry(refusal, entry, input) });
  const requested = requestedApis(policy, input);
  if (!requested.ok) return refuse(requested.failure);
  const subjectEntry = otherSubjectEntry(policy, entry, input);
  if (!subjectEntry.ok) return refuse(subjectEntry.failure, requested.value[0]);
  const use = input.keepsAlive ? succeed({}) : evaluateUse(entry, subjectEntry.value, requested.value[0], input.relay);
  if (!use.ok) return refuse(use.failure, requested.value[0]);
  const { flow, given, bound, tokenParameters } = input;
  const apis = evaluateApis(requested.value, { entry, flow, subjectEntry: subjectEntry.value, given, bound });
  return apis.ok
    ? succeed({
        ...apis.value,
        ...termsOf(entry),
        ...use.value,
        flow,
        offlineAccess: tokenParameters.offlineAccess && issuesGrant(flow),
        // Graph sends its claims challenges to the caller, so the caller must support them.
        cae: entry.cae && input.caller.understandsClaimsChallenge,
      })
    : refuse(apis.failure.refusal, apis.failure.api);
}

/**
 * Evaluates whether a person may create a grant for an application. The application must be allowed to redeem it
 * unattended.
 */
export function evaluateSignIn(policy: Policy, input: SignInInput): Result<Allowance, PolicyRefused> {
  const entry = policy.callers.find(({ name }) => name === input.entry);
  if (entry === undefined || !stillMatches(policy, entry, input)) return fail({ reason: "caller_not_listed" });
  const refuse = (refusal: Refusal, api?: RequestedApi) =>
    fail({ ...withKnownApis(policy, entry, refusal), ...named(entry), ...refusedApi(api) });
  const refusal = signInRefusal(entry);
  if (refusal !== undefined) return refuse({ reason: refusal });
  const requested = input.apis.flatMap((api) => lookUpApi(policy, api));
  if (requested.length < input.apis.length) return refuse(unknownApis(policy, input.apis));
  const flow = "authorization-code";
  const apis = evaluateApis(requested, { entry, flow, subjectEntry: undefined, given: undefined, bound: undefined });
  return apis.ok
    ? succeed({ ...apis.value, ...termsOf(entry), flow, offlineAccess: true, cae: false })
    : refuse(apis.failure.refusal, apis.failure.api);
}

/** Whether a sign-in link may be created for this entry. */
export function mayHaveLinks(entry: CallerRule): boolean {
  return signInRefusal(entry) === undefined;
}

// ---------------------------------------------------------------------------------------------------------------

function signInRefusal(entry: CallerRule): PolicyRefusal | undefined {
  if (entry.kind !== "application") return "application_required";
  if (!entry.flows.includes("refresh-token")) return "flow_not_allowed";
  if (!entry.unattended) return "unattended_not_allowed";
  return entry.offlineAccess ? undefined : "offline_access_not_allowed";
}

function callerRefusal(entry: CallerRule, input: PolicyInput): PolicyRefusal | undefined {
  if (entry.requireConfidentialClient && !input.caller.confidential) return "public_client";
  if (!entry.flows.includes(input.flow)) return "flow_not_allowed";
  if (input.tokenParameters.offlineAccess && issuesGrant(input.flow) && !entry.offlineAccess) {
    return "offline_access_not_allowed";
  }
  if (input.flow === "refresh-token") return redemptionRefusal(entry, input);
  if (input.flow === "authorization-code" && !entry.redirectUris.includes(input.redirectUri ?? "")) {
    return "redirect_uri_not_allowed";
  }
  return undefined;
}

function redemptionRefusal(entry: CallerRule, input: PolicyInput): PolicyRefusal | undefined {
  if (input.given === undefined && !entry.importRefreshTokens) return "import_not_allowed";
  return entry.kind === "application" && !entry.unattended ? "unattended_not_allowed" : undefined;
}

/** The token's API first. A redeemed code names the other APIs of its sign-in as well, if it issues a grant. */
function requestedApis(policy: Policy, input: PolicyInput): Result<RequestedApis, Refusal> {
  const { tokenParameters, given, flow } = input;
  const chosen = chooseApis(policy, tokenParameters, { several: severalAllowed(input), otherwise: given?.[0].api });
  if (!chosen.ok || given === undefined) return chosen;
  const [token] = chosen.value;
  const ofGrant = given.map(({ api }) => api);
  if (!ofGrant.includes(token.name)) {
    return fail({ reason: "api_not_allowed", requested: [token.name], listed: ofGrant });
  }
  const rest = tokenParameters.offlineAccess && issuesGrant(flow) ? given.filter(({ api }) => api !== token.name) : [];
  const others = rest.flatMap(({ api }) => lookUpApi(policy, { api, scopes: [] }));
  return others.length < rest.length ? fail(unknownApis(policy, rest)) : succeed([token, ...others]);
}

/**
 * A request may name several APIs only if it issues a grant. A pushed request returns no token yet, so it need not say
 * which of them the token is for.
 */
function severalAllowed({ flow, tokenParameters, given }: PolicyInput): Choice["several"] {
  if (given !== undefined) return "never";
  switch (flow) {
    case "authorization-code":
      return tokenParameters.offlineAccess ? "any" : "never";
    case "on-behalf-of":
      return tokenParameters.offlineAccess ? "one_named" : "never";
    case "refresh-token":
      return "one_named";
    case "client-credentials":
      return "never";
  }
}

function lookUpApi(policy: Policy, { api, scopes }: ApiScopes): RequestedApi[] {
  const rule = Object.hasOwn(policy.apis, api) ? policy.apis[api] : undefined;
  if (rule === undefined) return [];
  const bare = scopes.map((scope) => withoutResource(rule.resource, scope) ?? scope);
  return [requestedApi(api, rule, bare)];
}

interface ApisInput {
  readonly entry: CallerRule;
  readonly flow: FlowName;
  readonly subjectEntry: CallerRule | undefined;
  readonly given: ConsentedApis | undefined;
  readonly bound: ReleaseBound | undefined;
}

function evaluateApis(
  requested: readonly RequestedApi[],
  { given, ...rest }: ApisInput,
): Result<ApiAllowance & Pick<Allowance, "also">, { readonly refusal: Refusal; readonly api?: RequestedApi }> {
  const allowed: ApiAllowance[] = [];
  for (const one of requested) {
    const evaluated = evaluateApi({ ...rest, requested: one, given: given?.find(({ api }) => api === one.name) });
    if (!evaluated.ok) return fail({ refusal: evaluated.failure, api: one });
    allowed.push(evaluated.value);
  }
  const [token, ...also] = allowed;
  return token === undefined ? fail({ refusal: { reason: "api_not_named" } }) : succeed({ ...token, also });
}

/** The API of a refused request, with only those scopes that the policy lists: other text is the caller's. */
function refusedApi(requested: RequestedApi | undefined): Pick<PolicyRefused, "api" | "scopes"> {
  if (requested === undefined) return {};
  const { name, rule, scopes } = requested;
  return { api: name, scopes: scopes.filter((scope) => rule.scopes.includes(scope)) };
}

/**
 * The entry whose scope list also limits the request: if an application presents a user's token, the user entry of the
 * client that obtained the token.
 */
function otherSubjectEntry(
  policy: Policy,
  entry: CallerRule,
  { caller, subject }: PolicyInput,
): Result<CallerRule | undefined, Refusal> {
  if (caller.kind !== "application" || subject === undefined) return succeed(undefined);
  const allowed = entry.subjectClients ?? [caller.clientId.toLowerCase()];
  const subjectEntry = allowed.includes(subject.clientId.toLowerCase()) ? entryFor(policy, subject) : undefined;
  const refused =
    subjectEntry === undefined ||
    subject.registration !== caller.registration ||
    (subjectEntry.requireConfidentialClient && !subject.confidential);
  return refused
    ? fail({ reason: "subject_client_not_allowed", requested: [subject.clientId], listed: allowed })
    : succeed(subjectEntry);
}

/** What a rule about the whole entry refused. */
function refusedByEntry(
  reason: PolicyRefusal,
  entry: CallerRule,
  { flow, redirectUri = "" }: PolicyInput,
): Omit<Refusal, "reason"> {
  switch (reason) {
    case "flow_not_allowed":
      return { requested: [flow], listed: entry.flows };
    case "redirect_uri_not_allowed":
      return { requested: [redirectUri], listed: entry.redirectUris };
    default:
      return {};
  }
}

function unknownApis(policy: Policy, apis: readonly ApiScopes[]): Refusal {
  const unknown = apis.map(({ api }) => api).filter((api) => !Object.hasOwn(policy.apis, api));
  return { reason: "api_unknown", requested: unknown };
}

/** A refusal that is about the name of an API lists those of the entry: resources if the request names one. */
function withKnownApis(policy: Policy, entry: CallerRule, refusal: Refusal): Refusal {
  if (!refusal.reason.startsWith("api_") || refusal.listed !== undefined) return refusal;
  const names = Object.keys(entry.apis);
  const resources = names.flatMap((name) => policy.apis[name]?.resource ?? []);
  return { ...refusal, listed: refusal.requested?.some((name) => name.includes("/")) ? resources : names };
}

/** The flows in which `offline_access` issues a grant. */
function issuesGrant(flow: FlowName): boolean {
  return flow === "on-behalf-of" || flow === "authorization-code";
}

/** The members of an entry that apply to everything it allows. */
function termsOf(entry: CallerRule) {
  return {
    ...named(entry),
    grantMaxDays: entry.grantMaxDays,
    maxGrantsPerUser: entry.maxGrantsPerUser,
    keepAliveDays: entry.keepAliveDays,
    importRefreshTokens: entry.importRefreshTokens,
    requireConfirmation: entry.requireConfirmation,
    bypassPerMinute: entry.limits.bypassPerMinute ?? DEFAULT_BYPASS_PER_MINUTE,
    missesPerMinute: entry.limits.missesPerMinute ?? DEFAULT_MISSES_PER_MINUTE,
  };
}

/** Enough for a person who answers challenges; too few to make Entra throttle the service. */
export const DEFAULT_BYPASS_PER_MINUTE = 10;

/** Two a second: several times what a person's applications need when every cache is empty. */
const DEFAULT_MISSES_PER_MINUTE = 120;
