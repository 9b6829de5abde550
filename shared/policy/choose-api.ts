/**
 * Which API a request is for, from everything in it that may say so. Part of stage 3 (policy). Pure.
 */
import type { Wish } from "../exchange-request.ts";
import type { PolicyRefusal } from "../failure.ts";
import { fail, type Result, succeed } from "../result.ts";
import type { ApiRule, Policy } from "./rules.ts";

export interface ChosenApi {
  readonly name: string;
  readonly rule: ApiRule;
  /** Bare scope names that were asked for, or undefined when none were. */
  readonly scopes: readonly string[] | undefined;
}

/**
 * In this order: `audience` (name) and `resource` (exact URI); the resource in front of a scope; the grant's API; the
 * only API there is. Two different answers are refused (`api_ambiguous`), as RFC 8707 section 2 asks.
 */
export function chooseApi(
  policy: Policy,
  wish: Pick<Wish, "audiences" | "resources" | "scopes">,
  grantApi: string | undefined,
): Result<ChosenApi, PolicyRefusal> {
  const scopes = wish.scopes?.map((scope) => splitScope(policy, scope));
  const named = new Set([
    ...wish.audiences,
    ...wish.resources.map((resource) => apiWithResource(policy, resource)),
    ...(scopes ?? []).flatMap((scope) => (scope.api === undefined ? [] : [scope.api])),
  ]);
  const name = pickName(named, grantApi, Object.keys(policy.apis));
  if (!name.ok) {
    return name;
  }
  const rule = policy.apis[name.value];
  return rule === undefined
    ? fail("api_unknown")
    : succeed({ name: name.value, rule, scopes: scopes?.map((scope) => scope.bare) });
}

/** Stands for a resource that no API has; no API can have this name. */
const UNKNOWN_API = "";

function apiWithResource(policy: Policy, resource: string): string {
  return Object.keys(policy.apis).find((name) => policy.apis[name]?.resource === resource) ?? UNKNOWN_API;
}

function pickName(
  named: ReadonlySet<string>,
  grantApi: string | undefined,
  known: readonly string[],
): Result<string, PolicyRefusal> {
  if ([...named].some((name) => !known.includes(name))) {
    return fail("api_unknown");
  }
  if (named.size > 1) {
    return fail("api_ambiguous");
  }
  const [only] = known.length === 1 ? known : [];
  const name = [...named][0] ?? grantApi ?? only;
  return name === undefined ? fail("api_not_named") : succeed(name);
}

/** `https://graph.microsoft.com/User.Read` → graph, `User.Read`. The longest resource wins where one contains another. */
function splitScope(policy: Policy, scope: string): { readonly bare: string; readonly api: string | undefined } {
  let best: { name: string; prefix: string } | undefined;
  for (const [name, rule] of Object.entries(policy.apis)) {
    const prefix = `${rule.resource}/`;
    if (scope.startsWith(prefix) && prefix.length > (best?.prefix.length ?? 0)) {
      best = { name, prefix };
    }
  }
  if (best !== undefined) {
    return { bare: scope.slice(best.prefix.length), api: best.name };
  }
  return { bare: scope, api: scope.includes("://") ? UNKNOWN_API : undefined };
}
