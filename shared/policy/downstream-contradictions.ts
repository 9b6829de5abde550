/** Problems of the relay's part of a policy: rules that no request could use, and APIs without an address. Pure. */
import { didYouMean } from "../core/did-you-mean.ts";
import type { FlowName } from "../core/flow-name.ts";
import { isGraph } from "../core/graph-resource.ts";
import type { ApiRule, PolicyDraft, PolicyProblem } from "./rules.ts";

type Entry = PolicyDraft["callers"][number];

/** The problems of `apis`: a host for an API whose host is known. */
export function baseUrlProblems({ apis = {} }: PolicyDraft): PolicyProblem[] {
  return Object.entries(apis).flatMap(([name, { resource, baseUrl }]) =>
    resource !== undefined && baseUrl !== undefined && isGraph(resource)
      ? [
          {
            path: `apis.${name}.baseUrl`,
            problem: "must not be set: the relay sends requests for Microsoft Graph to the host of its resource only",
          },
        ]
      : [],
  );
}

/** The problems of one entry. */
export function downstreamProblems(draft: PolicyDraft, entry: Entry, path: string): PolicyProblem[] {
  return [...ruleProblems(draft, entry, path), ...flowProblems(entry, path), ...releaseProblems(entry, path)];
}

// ---------------------------------------------------------------------------------------------------------------

/** Each API with rules must be one of the entry, and the relay must know its host. */
function ruleProblems(
  { apis = {} }: PolicyDraft,
  { apis: own, downstream = {} }: Entry,
  path: string,
): PolicyProblem[] {
  return Object.keys(downstream).flatMap((name): PolicyProblem[] => {
    const at = `${path}.downstream.${name}`;
    if (own !== undefined && !Object.hasOwn(own, name)) {
      const meant = didYouMean(name, Object.keys(own));
      const hint = meant === undefined ? "list its scopes there" : `did you mean ${meant}?`;
      return [{ path: at, problem: `is not in apis of this entry; ${hint}` }];
    }
    return Object.hasOwn(apis, name) && lacksHost(apis[name] ?? {})
      ? [{ path: at, problem: `needs apis.${name}.baseUrl, because the resource has no https host` }]
      : [];
  });
}

function lacksHost({ resource, baseUrl }: Partial<ApiRule>): boolean {
  return resource !== undefined && baseUrl === undefined && !/^https:\/\//i.test(resource);
}

/** The flows of requests through the relay. A code is redeemed at the token endpoint only. */
function flowProblems({ kind, flows, downstream = {} }: Entry, path: string): PolicyProblem[] {
  if (Object.keys(downstream).length === 0 || kind === undefined || flows === undefined) return [];
  const usable: readonly FlowName[] =
    kind === "user" ? ["on-behalf-of", "refresh-token"] : ["refresh-token", "client-credentials"];
  return flows.some((flow) => usable.includes(flow))
    ? []
    : [{ path, problem: `has downstream without a flow of the relay; add ${usable.join(" or ")}` }];
}

function releaseProblems(
  { release, flows, apis, downstream, importRefreshTokens }: Entry,
  path: string,
): PolicyProblem[] {
  if (release !== "none") return [];
  const without = Object.keys(apis ?? {}).filter(
    (name) => downstream !== undefined && !Object.hasOwn(downstream, name),
  );
  return [
    ...without.map((name) => ({
      path: `${path}.apis.${name}`,
      problem: 'can never be used: the entry has release "none" and no downstream rule for it',
    })),
    ...(flows?.includes("authorization-code") === true
      ? [
          {
            path,
            problem: 'has release "none" and the flow authorization-code, which returns a token; remove one of them',
          },
        ]
      : []),
    ...(importRefreshTokens === true
      ? [{ path, problem: 'has release "none" and importRefreshTokens, which returns a token; remove one of them' }]
      : []),
  ];
}
