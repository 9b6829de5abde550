/**
 * Spellings in a policy that no request and no answer of Entra could ever match. The service does not start with one,
 * and the message has the right spelling. Pure.
 */
import { didYouMean } from "../core/did-you-mean.ts";
import { GRAPH_APP_ID, GRAPH_RESOURCES, graphWithHost, isGraph } from "../core/graph-resource.ts";
import type { PolicyDraft, PolicyProblem } from "./rules.ts";
import { DEFAULT_SCOPE, hasResource, isOidcScope, withoutResource } from "./scope-names.ts";

/** The problems of `apis`: each resource and each scope. */
export function spellingProblems({ apis = {} }: PolicyDraft): PolicyProblem[] {
  return Object.entries(apis).flatMap(([name, { resource, scopes = [] }]) => [
    ...resourceProblem(`apis.${name}.resource`, resource),
    ...scopes.flatMap((scope, index) => scopeProblem(`apis.${name}.scopes.${index}`, resource, scope)),
    ...repeatedInAnotherCase(`apis.${name}.scopes`, resource, scopes),
  ]);
}

/** Why a scope cannot be in a list of this API, wherever the list is. */
export function scopeProblem(path: string, resource: string | undefined, scope: string): PolicyProblem[] {
  const bare = bareName(resource, scope);
  if (isOidcScope(resource, bare)) {
    return [{ path, problem: `is a scope of OpenID Connect; ${OIDC_LIST} must not be listed` }];
  }
  if (bare !== scope) return [{ path, problem: `has a resource in front; write ${bare}` }];
  if (scope !== DEFAULT_SCOPE && scope.toLowerCase() === DEFAULT_SCOPE) {
    return [{ path, problem: `is not spelled as Entra spells it; write ${DEFAULT_SCOPE}` }];
  }
  return resource !== undefined && isGraph(resource) && !GRAPH_SCOPE.test(scope)
    ? [{ path, problem: "must be one permission of Microsoft Graph, for example User.Read" }]
    : [];
}

/** The scope of an API that an unknown one probably means. */
export function meantScope(resource: string | undefined, scope: string, known: readonly string[]): string | undefined {
  const bare = bareName(resource, scope);
  return known.includes(bare) ? bare : didYouMean(bare, known);
}

/** The scope without a resource in front, also without one that is wrong. */
export function bareName(resource: string | undefined, scope: string): string {
  const own = resource === undefined ? undefined : withoutResource(resource, scope);
  if (own !== undefined) return own;
  // No scope of Graph has a slash. Other APIs may have such scopes.
  const foreign = hasResource(scope) || (resource !== undefined && isGraph(resource));
  return foreign ? scope.slice(scope.lastIndexOf("/") + 1) || scope : scope;
}

// ---------------------------------------------------------------------------------------------------------------

const OIDC_LIST = "openid, profile, email and offline_access";
const GRAPH_SCOPE = /^(\.default|[A-Za-z][\w.-]*)$/;

function resourceProblem(path: string, resource: string | undefined): PolicyProblem[] {
  if (resource === undefined || isGraph(resource)) return [];
  if (resource === GRAPH_APP_ID) {
    const [inPublicCloud] = GRAPH_RESOURCES.public;
    return [
      {
        path,
        problem: `is the application id of Microsoft Graph; write ${inPublicCloud}, or Graph's URI in your cloud`,
      },
    ];
  }
  const graph = graphWithHost(URL.canParse(resource) ? new URL(resource).hostname : "");
  if (graph !== undefined && /^https?:/i.test(resource)) {
    return [{ path, problem: `is not spelled as Entra spells Microsoft Graph; write ${graph}` }];
  }
  return resource.endsWith(`/${DEFAULT_SCOPE}`)
    ? [{ path, problem: `ends with the scope ${DEFAULT_SCOPE}; write the resource without it` }]
    : [];
}

/** For Entra, two scopes of Graph that differ only in case are one. */
function repeatedInAnotherCase(path: string, resource: string | undefined, scopes: readonly string[]): PolicyProblem[] {
  if (resource === undefined || !isGraph(resource)) return [];
  return scopes.flatMap((scope, index) => {
    const earlier = scopes.findIndex((one) => one.toLowerCase() === scope.toLowerCase() && one !== scope);
    return earlier >= 0 && earlier < index
      ? [{ path: `${path}.${index}`, problem: `repeats ${path}.${earlier} in another case; list it once` }]
      : [];
  });
}
