/** Which API the token of a request is for, and which further APIs the grant of the request is for. Pure. */
import type { TokenParameters } from "../core/exchange-request.ts";
import type { PolicyRefused } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { ApiRule, Policy } from "./rules.ts";
import { DEFAULT_SCOPE, hasResource, inKnownSpelling, isResource, withoutResource } from "./scope-names.ts";

export interface RequestedApi {
  readonly name: string;
  readonly rule: ApiRule;
  /** Bare names, in the spelling of the policy where it has them. Empty: the request names none. */
  readonly scopes: readonly string[];
}

/** The token's API, then the further APIs of the grant. */
export type RequestedApis = readonly [RequestedApi, ...RequestedApi[]];

/** A rule that refused, and what it refused. */
export type Refusal = Pick<PolicyRefused, "reason" | "requested" | "listed">;

export interface Choice {
  /** Whether a request may name several APIs: never; if `audience` or `resource` names the token's; or always. */
  readonly several: "never" | "one_named" | "any";
  /** The API if the request names none: the first of the grant or sign-in. */
  readonly otherwise: string | undefined;
}

/**
 * The API comes from, in this order: `audience` (name) and `resource` (URI or GUID); the resource prefix of a scope; the
 * grant or sign-in; the policy, if it has only one API. A token is for one API, so a request that names two is refused
 * (`api_ambiguous`, RFC 8707 section 2), unless it issues a grant for both.
 */
export function chooseApis(
  policy: Policy,
  tokenParameters: Pick<TokenParameters, "audiences" | "resources" | "scopes">,
  choice: Choice,
): Result<RequestedApis, Refusal> {
  const unknown = unknownNames(policy, tokenParameters);
  if (unknown.length > 0) return fail({ reason: "api_unknown", requested: unknown });
  const scopes = (tokenParameters.scopes ?? []).map((scope) => splitScope(policy, scope));
  const stated = unique([
    ...tokenParameters.audiences,
    ...tokenParameters.resources.map((resource) => apiWithResource(policy, resource)),
  ]);
  const named = unique([...stated, ...scopes.flatMap(({ api }) => (api === undefined ? [] : [api]))]);
  // A bare scope belongs to the one API that was stated. With several, its API is unknown.
  const unclear = stated.length !== 1 && scopes.some(({ api }) => api === undefined);
  if (named.length > 1 && (unclear || !mayBeSeveral(choice, stated))) {
    return fail({ reason: "api_ambiguous", requested: named });
  }
  const first = named[0] ?? choice.otherwise ?? onlyApi(policy);
  if (first === undefined) return fail({ reason: "api_not_named" });
  const requested = [first, ...named.slice(1)].flatMap((name): RequestedApi[] => {
    const rule = policy.apis[name];
    const own = scopes.filter(({ api }) => (api ?? first) === name).map(({ bare }) => bare);
    return rule === undefined ? [] : [requestedApi(name, rule, own)];
  });
  const [token, ...others] = requested;
  return token === undefined ? fail({ reason: "api_unknown", requested: [first] }) : succeed([token, ...others]);
}

export function requestedApi(name: string, rule: ApiRule, scopes: readonly string[]): RequestedApi {
  return { name, rule, scopes: inKnownSpelling(rule.resource, scopes, [...rule.scopes, DEFAULT_SCOPE]) };
}

// ---------------------------------------------------------------------------------------------------------------

/** What the request names and no API of the policy has. */
function unknownNames(
  policy: Policy,
  { audiences, resources, scopes = [] }: Pick<TokenParameters, "audiences" | "resources" | "scopes">,
): readonly string[] {
  return [
    ...audiences.filter((name) => !Object.hasOwn(policy.apis, name)),
    ...resources.filter((resource) => apiWithResource(policy, resource) === UNKNOWN_API),
    ...scopes.filter((scope) => splitScope(policy, scope).api === UNKNOWN_API),
  ];
}

function mayBeSeveral({ several }: Choice, stated: readonly string[]): boolean {
  return several === "any" || (several === "one_named" && stated.length === 1);
}

function onlyApi(policy: Policy): string | undefined {
  const [only, ...others] = Object.keys(policy.apis);
  return others.length === 0 ? only : undefined;
}

/** Stands for a resource of no API. The policy schema does not allow this name. */
const UNKNOWN_API = "";

function apiWithResource(policy: Policy, resource: string): string {
  return Object.entries(policy.apis).find(([, rule]) => isResource(rule.resource, resource))?.[0] ?? UNKNOWN_API;
}

/** `https://graph.microsoft.com/User.Read` → graph, `User.Read`. If one resource contains another, the longest wins. */
function splitScope(policy: Policy, scope: string): { readonly bare: string; readonly api: string | undefined } {
  let best: { readonly bare: string; readonly api: string } | undefined;
  for (const [api, rule] of Object.entries(policy.apis)) {
    const bare = withoutResource(rule.resource, scope);
    if (bare !== undefined && bare.length < (best?.bare.length ?? Number.POSITIVE_INFINITY)) {
      best = { bare, api };
    }
  }
  return best ?? { bare: scope, api: hasResource(scope) ? UNKNOWN_API : undefined };
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
