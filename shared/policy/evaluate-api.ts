/**
 * What an entry allows of one API: which scopes Entra is asked for, and which may leave. Part of stage 3 (policy). Pure.
 */

import type { ApiScopes, ReleaseBound } from "../core/api-scopes.ts";
import type { PolicyRefusal } from "../core/failure.ts";
import type { FlowName } from "../core/flow-name.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { RequestedApi } from "./choose-apis.ts";
import type { ApiAllowance } from "./entitlement.ts";
import type { CallerRule } from "./rules.ts";

export interface ApiInput {
  readonly entry: CallerRule;
  readonly flow: FlowName;
  readonly asked: RequestedApi;
  /** The entry of the client that obtained the subject's token, where that is another. */
  readonly subjectEntry: CallerRule | undefined;
  /** What was given for this API, or decided at the start of a sign-in; undefined: nothing was yet. */
  readonly given: ApiScopes | undefined;
  /** What a person was shown and said yes to. */
  readonly bound: ReleaseBound | undefined;
}

export function evaluateApi(input: ApiInput): Result<ApiAllowance, PolicyRefusal> {
  const { asked } = input;
  const listed = listedScopes(input);
  if (listed.length === 0) return fail("api_not_allowed");
  const scopes = scopesToAsk(input, listed);
  return scopes.ok
    ? succeed({
        api: { name: asked.name, resource: asked.rule.resource, contentType: asked.rule.contentType },
        scopes: scopes.value,
        ...releasableScopes(input, listed),
      })
    : scopes;
}

/** The caller's list, narrowed by the list of the client that obtained the subject's token. */
function listedScopes({ entry, subjectEntry, asked }: ApiInput): readonly string[] {
  const own = scopesOf(entry, asked.name);
  if (subjectEntry === undefined) return own;
  const theirs = scopesOf(subjectEntry, asked.name);
  return own.filter((scope) => theirs.includes(scope));
}

/**
 * What may leave: what policy lists, and of that no more than a person was shown, if one was asked. Entra puts every consented scope into a token, so for a kept permission the bound is what the person
 * gave when it was made (RFC 6749 section 6), whatever was consented since, and even where the entry accepts surplus.
 */
function releasableScopes(
  { entry, subjectEntry, flow, asked, given, bound }: ApiInput,
  listed: readonly string[],
): Pick<ApiAllowance, "releasable" | "acceptSurplus"> {
  if (flow !== "refresh-token" || given === undefined) {
    const shown = bound?.apis.find(({ api }) => api === asked.name)?.scopes;
    return {
      releasable: bound === undefined ? listed : listed.filter((scope) => shown?.includes(scope)),
      // What one entry accepts lifts no limit of the other's, and none of what was shown.
      acceptSurplus: entry.acceptSurplus && (subjectEntry?.acceptSurplus ?? true) && (bound?.surplus ?? true),
    };
  }
  const releasable = entry.acceptSurplus ? given.scopes : given.scopes.filter((scope) => listed.includes(scope));
  return { releasable, acceptSurplus: false };
}

function scopesOf(entry: CallerRule, apiName: string): readonly string[] {
  return Object.hasOwn(entry.apis, apiName) ? (entry.apis[apiName] ?? []) : [];
}

function scopesToAsk(
  { flow, asked, given }: ApiInput,
  listed: readonly string[],
): Result<readonly string[], PolicyRefusal> {
  // RFC 6749 section 6: a refresh never asks for more than was granted. An application token carries every permission
  // of its registration: Entra takes no narrower wish than `.default`.
  const within = listed
    .filter((scope) => given === undefined || given.scopes.includes(scope))
    .filter((scope) => flow !== "client-credentials" || scope === DEFAULT);
  const wanted = new Set(asked.scopes.length === 0 ? unasked(within) : asked.scopes);
  const allowed = wanted.size > 0 && [...wanted].every((scope) => within.includes(scope));
  // Entra refuses `.default` together with anything else.
  return allowed && (wanted.size === 1 || !wanted.has(DEFAULT))
    ? succeed([...wanted].sort())
    : fail("scope_not_allowed");
}

/** All registered permissions, whatever they are. */
const DEFAULT = ".default";

/** Asking nothing gives the list: the scopes that it names, else `.default`. */
function unasked(within: readonly string[]): readonly string[] {
  const named = within.filter((scope) => scope !== DEFAULT);
  return named.length > 0 ? named : within;
}
