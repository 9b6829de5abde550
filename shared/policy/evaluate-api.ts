/** What an entry allows of one API: the scopes to request from Entra, and the scopes that may be released. Pure. */

import type { ApiScopes, ReleaseBound } from "../core/api-scopes.ts";
import type { FlowName } from "../core/flow-name.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { Refusal, RequestedApi } from "./choose-apis.ts";
import type { Api, ApiAllowance } from "./entitlement.ts";
import type { ApiRule, CallerRule } from "./rules.ts";
import { DEFAULT_SCOPE, inKnownSpelling } from "./scope-names.ts";

export interface ApiInput {
  readonly entry: CallerRule;
  readonly flow: FlowName;
  readonly requested: RequestedApi;
  /** The entry of the client that obtained the subject's token, if it is not the caller's. */
  readonly subjectEntry: CallerRule | undefined;
  /** This API in the redeemed grant, or as allowed at the start of the sign-in. Undefined: neither exists. */
  readonly given: ApiScopes | undefined;
  /** What the confirmation page showed and the person approved. */
  readonly bound: ReleaseBound | undefined;
}

export function evaluateApi(input: ApiInput): Result<ApiAllowance, Refusal> {
  const { name, rule } = input.requested;
  const given = inPolicySpelling(rule, input.given);
  const listed = listedScopes(input);
  if (listed.length === 0) return fail({ reason: "api_not_allowed", requested: [name] });
  const scopes = chooseScopes({ ...input, given }, listed);
  return scopes.ok
    ? succeed({
        api: toApi(name, rule),
        scopes: scopes.value,
        ...releasableScopes({ ...input, given }, listed),
      })
    : scopes;
}

// ---------------------------------------------------------------------------------------------------------------

function toApi(name: string, { resource, contentType, baseUrl, scopeDescriptions }: ApiRule): Api {
  return { name, resource, contentType, scopeDescriptions, ...(baseUrl === undefined ? {} : { baseUrl }) };
}

/** Scopes of an earlier decision. The policy may spell them in another case by now. */
function inPolicySpelling(rule: ApiRule, given: ApiScopes | undefined): ApiScopes | undefined {
  return given && { ...given, scopes: inKnownSpelling(rule.resource, given.scopes, rule.scopes) };
}

/** The caller's list, intersected with the list of the client that obtained the subject's token. */
function listedScopes({ entry, subjectEntry, requested }: ApiInput): readonly string[] {
  const callerScopes = scopesOf(entry, requested.name);
  if (subjectEntry === undefined) return callerScopes;
  const subjectScopes = scopesOf(subjectEntry, requested.name);
  return callerScopes.filter((scope) => subjectScopes.includes(scope));
}

/**
 * The scopes that may be released: those that policy lists, and no more than the confirmation page showed, if there was
 * one. Entra puts every consented scope into a token. A redeemed grant therefore releases only the scopes that it was
 * issued with (RFC 6749 section 6), even if more was consented later and even if the entry accepts surplus.
 */
function releasableScopes(
  { entry, subjectEntry, flow, requested, given, bound }: ApiInput,
  listed: readonly string[],
): Pick<ApiAllowance, "releasable" | "acceptSurplus"> {
  if (flow !== "refresh-token" || given === undefined) {
    const shown = inPolicySpelling(
      requested.rule,
      bound?.apis.find(({ api }) => api === requested.name),
    )?.scopes;
    return {
      releasable: bound === undefined ? listed : listed.filter((scope) => shown?.includes(scope)),
      // Surplus is released only if both entries accept it and the confirmation page announced it. An entry that releases
      // no token may have it: its sign-in ends with a grant for the relay.
      acceptSurplus:
        entry.release === "none" ||
        (entry.acceptSurplus && (subjectEntry?.acceptSurplus ?? true) && (bound?.surplus ?? true)),
    };
  }
  const all = entry.acceptSurplus || entry.release === "none";
  const releasable = all ? given.scopes : given.scopes.filter((scope) => listed.includes(scope));
  return { releasable, acceptSurplus: false };
}

function scopesOf(entry: CallerRule, apiName: string): readonly string[] {
  return Object.hasOwn(entry.apis, apiName) ? (entry.apis[apiName] ?? []) : [];
}

/**
 * The scopes to request from Entra, sorted. A request without scopes gets the defaults. So does `.default`, which the
 * Graph SDKs request unless they are configured otherwise: for Entra it means all scopes of the client, here it means all
 * scopes of the entry. It goes to Entra only where the entry lists it.
 */
function chooseScopes(
  { flow, requested, given }: ApiInput,
  listed: readonly string[],
): Result<readonly string[], Refusal> {
  // RFC 6749 section 6: a refresh never requests more than was granted. An application token carries every permission
  // of its registration: Entra accepts only `.default`.
  const within = listed
    .filter((scope) => given === undefined || given.scopes.includes(scope))
    .filter((scope) => flow !== "client-credentials" || scope === DEFAULT_SCOPE);
  const namesNone = requested.scopes.every((scope) => scope === DEFAULT_SCOPE && !within.includes(DEFAULT_SCOPE));
  const wanted = new Set(namesNone ? defaultScopes(within) : requested.scopes);
  const outside = [...wanted].filter((scope) => !within.includes(scope));
  // Entra refuses `.default` together with anything else.
  const mixed = wanted.size > 1 && wanted.has(DEFAULT_SCOPE);
  return wanted.size > 0 && outside.length === 0 && !mixed
    ? succeed([...wanted].sort())
    : fail({ reason: "scope_not_allowed", requested: mixed ? [...wanted] : outside, listed: within });
}

/** The scopes of a request that names none: the listed scopes, or `.default` if the list contains nothing else. */
function defaultScopes(within: readonly string[]): readonly string[] {
  const named = within.filter((scope) => scope !== DEFAULT_SCOPE);
  return named.length > 0 ? named : within;
}
