/**
 * The rules themselves: who matches which entry, and what the entry allows. Works on facts that need not be proved, so
 * that `/policy/explain` can ask about callers that are not there; `decide.ts` makes an entitlement of the answer, and
 * only for a validated caller. Pure: no I/O, no clock.
 */

import type { Caller } from "../caller/caller.ts";
import type { ApiScopes, ConsentedApis, ReleaseBound } from "../core/api-scopes.ts";
import type { TokenParameters } from "../core/exchange-request.ts";
import type { PolicyRefusal, PolicyRefused } from "../core/failure.ts";
import type { FlowName } from "../core/flow-name.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { type Choice, chooseApis, type RequestedApi, type RequestedApis } from "./choose-apis.ts";
import type { Allowance, ApiAllowance } from "./entitlement.ts";
import { evaluateApi } from "./evaluate-api.ts";
import type { CallerRule, Policy } from "./rules.ts";

/** What policy looks at of a caller. */
export type PolicyCaller = Pick<Caller, "kind" | "clientId" | "roles" | "confidential" | "understandsClaimsChallenge">;

/** A request as policy sees it. */
export interface PolicyInput {
  readonly caller: PolicyCaller;
  readonly flow: FlowName;
  readonly tokenParameters: TokenParameters;
  /** On-behalf-of: whose token is exchanged. Equal to the caller for a user who exchanges itself. */
  readonly subject?: PolicyCaller;
  /** Refresh token: what the grant covers; absent for a raw one of Entra's. Code: what was decided at its start. */
  readonly given?: ConsentedApis;
  /** Authorization code: what the person was shown, where a page asked. */
  readonly bound?: ReleaseBound;
  /** Authorization code: where the browser is sent back to. */
  readonly redirectUri?: string;
}

/** A sign-in by which a person makes a grant for an application that is not there: a link, or its confirmation. */
export interface SignInInput {
  /** Name of the application's entry, and the client that it must still be about. */
  readonly entry: string;
  readonly clientId: string;
  /** What the grant shall cover; no scopes ask for the list. */
  readonly apis: ConsentedApis;
}

/** Weighs a request; the first rule that does not hold refuses. */
export function evaluate(policy: Policy, input: PolicyInput): Result<Allowance, PolicyRefused> {
  const entry = entryFor(policy, input.caller);
  if (entry === undefined) return fail({ reason: "caller_not_listed" });
  const refuse = (reason: PolicyRefusal, asked?: RequestedApi) => fail({ reason, entry: entry.name, ...known(asked) });
  const refusal = callerRefusal(entry, input);
  if (refusal !== undefined) return refuse(refusal);
  const asked = requestedApis(policy, input);
  if (!asked.ok) return refuse(asked.failure);
  const subjectEntry = otherSubjectEntry(policy, entry, input);
  if (!subjectEntry.ok) return refuse(subjectEntry.failure, asked.value[0]);
  const { flow, given, bound, tokenParameters } = input;
  const apis = evaluateApis(asked.value, { entry, flow, subjectEntry: subjectEntry.value, given, bound });
  return apis.ok
    ? succeed({
        ...apis.value,
        ...termsOf(entry),
        flow,
        offlineAccess: tokenParameters.offlineAccess && keepsGrant(flow),
        // Graph's own challenges reach the caller, who must know how to answer them.
        cae: entry.cae && input.caller.understandsClaimsChallenge,
      })
    : refuse(apis.failure.reason, apis.failure.asked);
}

/** Decides whether a person may make a grant for an application: only one that may redeem it while nobody is there. */
export function evaluateSignIn(policy: Policy, input: SignInInput): Result<Allowance, PolicyRefused> {
  const entry = policy.callers.find(({ name, clientId }) => name === input.entry && clientId === input.clientId);
  if (entry === undefined) return fail({ reason: "caller_not_listed" });
  const refuse = (reason: PolicyRefusal) => fail({ reason, entry: entry.name });
  const refusal = signInRefusal(entry);
  if (refusal !== undefined) return refuse(refusal);
  const asked = input.apis.flatMap((wanted) => named(policy, wanted));
  if (asked.length < input.apis.length) return refuse("api_unknown");
  const flow = "authorization-code";
  const apis = evaluateApis(asked, { entry, flow, subjectEntry: undefined, given: undefined, bound: undefined });
  return apis.ok
    ? succeed({ ...apis.value, ...termsOf(entry), flow, offlineAccess: true, cae: false })
    : fail({ reason: apis.failure.reason, entry: entry.name, ...known(apis.failure.asked) });
}

/** May a sign-in link be made for this entry at all? */
export function mayHaveLinks(entry: CallerRule): boolean {
  return signInRefusal(entry) === undefined;
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
  if (input.tokenParameters.offlineAccess && keepsGrant(input.flow) && !entry.offlineAccess) {
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

/** The token's API first. A sign-in that was decided before keeps what was decided, whichever API its token is for. */
function requestedApis(policy: Policy, input: PolicyInput): Result<RequestedApis, PolicyRefusal> {
  const { tokenParameters, given, flow } = input;
  const chosen = chooseApis(policy, tokenParameters, { several: mayCover(input), otherwise: given?.[0].api });
  if (!chosen.ok || given === undefined) return chosen;
  const [token] = chosen.value;
  if (!given.some(({ api }) => api === token.name)) return fail("api_not_allowed");
  const rest = tokenParameters.offlineAccess && keepsGrant(flow) ? given.filter(({ api }) => api !== token.name) : [];
  const others = rest.flatMap(({ api }) => named(policy, { api, scopes: [] }));
  return others.length < rest.length ? fail("api_unknown") : succeed([token, ...others]);
}

/** Several APIs only where a permission begins that is kept. A pushed request gives no token yet, so it need not say for which. */
function mayCover({ flow, tokenParameters, given }: PolicyInput): Choice["several"] {
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

function named(policy: Policy, { api, scopes }: ApiScopes): RequestedApi[] {
  const rule = Object.hasOwn(policy.apis, api) ? policy.apis[api] : undefined;
  return rule === undefined ? [] : [{ name: api, rule, scopes }];
}

interface ApisWeighing {
  readonly entry: CallerRule;
  readonly flow: FlowName;
  readonly subjectEntry: CallerRule | undefined;
  readonly given: ConsentedApis | undefined;
  readonly bound: ReleaseBound | undefined;
}

function evaluateApis(
  asked: readonly RequestedApi[],
  { given, ...rest }: ApisWeighing,
): Result<ApiAllowance & Pick<Allowance, "also">, { readonly reason: PolicyRefusal; readonly asked?: RequestedApi }> {
  const allowed: ApiAllowance[] = [];
  for (const one of asked) {
    const evaluated = evaluateApi({ ...rest, asked: one, given: given?.find(({ api }) => api === one.name) });
    if (!evaluated.ok) return fail({ reason: evaluated.failure, asked: one });
    allowed.push(evaluated.value);
  }
  const [token, ...also] = allowed;
  return token === undefined ? fail({ reason: "api_not_named" }) : succeed({ ...token, also });
}

/** Of a request that was refused: the API that was meant, and the scopes that policy knows. */
function known(asked: RequestedApi | undefined): Pick<PolicyRefused, "api" | "scopes"> {
  return asked === undefined
    ? {}
    : { api: asked.name, scopes: asked.scopes.filter((scope) => asked.rule.scopes.includes(scope)) };
}

/** Whose list narrows the caller's: that of the client that obtained a token which an application presents. */
function otherSubjectEntry(
  policy: Policy,
  entry: CallerRule,
  { caller, subject }: PolicyInput,
): Result<CallerRule | undefined, PolicyRefusal> {
  if (caller.kind !== "application" || subject === undefined) return succeed(undefined);
  const allowed = entry.subjectClients ?? [caller.clientId.toLowerCase()];
  const theirs = allowed.includes(subject.clientId.toLowerCase()) ? entryFor(policy, subject) : undefined;
  const refused = theirs === undefined || (theirs.requireConfidentialClient && !subject.confidential);
  return refused ? fail("subject_client_not_allowed") : succeed(theirs);
}

function keepsGrant(flow: FlowName): boolean {
  return flow === "on-behalf-of" || flow === "authorization-code";
}

/** What an entry says for everything that it allows. */
function termsOf(entry: CallerRule) {
  return {
    entry: entry.name,
    grantMaxDays: entry.grantMaxDays,
    importRefreshTokens: entry.importRefreshTokens,
    bypassPerMinute: entry.limits.bypassPerMinute ?? DEFAULT_BYPASS_PER_MINUTE,
  };
}

/** Enough for a person who answers challenges; too few to use us as a hammer on Entra. */
export const DEFAULT_BYPASS_PER_MINUTE = 10;
