/**
 * What no schema can say about a policy: names that repeat or point nowhere, entries that could both match one caller, and
 * what could never work, which is better told to whoever deploys than to whoever calls.
 * Judges a draft, so that a mistake in one member hides none in the others: what could not be read is not guessed at.
 * Pure: no I/O, no clock.
 */
import { OIDC_SCOPES } from "./release.ts";
import type { CallerRule, PolicyDraft, PolicyProblem } from "./rules.ts";

export function policyContradictions(draft: PolicyDraft): PolicyProblem[] {
  return [
    ...repetitions(draft),
    ...Object.entries(draft.apis ?? {}).flatMap(([name, { scopes = [] }]) =>
      scopes.flatMap((scope, index) => oidcProblems(scope, `apis.${name}.scopes.${index}`)),
    ),
    ...draft.callers.flatMap((entry, index) => {
      const path = `callers.${index}`;
      return [
        ...apiProblems(draft, entry, path),
        ...subjectProblems(draft, entry, path),
        ...RULES.filter(({ isBroken }) => isBroken(entry)).map(({ problem }) => ({ path, problem })),
      ];
    }),
  ];
}

type Entry = PolicyDraft["callers"][number];

function repetitions({ apis = {}, callers }: PolicyDraft): PolicyProblem[] {
  const resources = Object.entries(apis).map(([name, { resource }]) => ({ path: `apis.${name}`, value: resource }));
  const names = callers.map(({ name }, index) => ({ path: `callers.${index}`, value: name }));
  const matches = callers.map(({ kind, clientId }, index) => ({
    path: `callers.${index}`,
    value: kind === undefined || clientId === undefined ? undefined : `${kind} ${clientId}`,
  }));
  return [
    ...repeated(resources).map(([path, earlier]) => ({
      path: `${path}.resource`,
      problem: `is the resource of ${earlier} too`,
    })),
    ...repeated(names).map(([path, earlier]) => ({ path: `${path}.name`, problem: `is the name of ${earlier} too` })),
    // Roles do not separate two entries: one token can carry both.
    ...repeated(matches).map(([path, earlier]) => ({
      path,
      problem: `could match the same caller as ${earlier}: same kind and clientId`,
    })),
  ];
}

/** What has the same value as something before it: both paths. */
function repeated(
  items: readonly { readonly path: string; readonly value: string | undefined }[],
): [path: string, earlier: string][] {
  const seen = new Map<string, string>();
  return items.flatMap(({ path, value }): [string, string][] => {
    if (value === undefined) return [];
    const earlier = seen.get(value);
    seen.set(value, earlier ?? path);
    return earlier === undefined ? [] : [[path, earlier]];
  });
}

/** Entra gives them with every sign-in, whatever the API, and requests may name them; a list of permissions says nothing. */
function oidcProblems(scope: string, path: string): PolicyProblem[] {
  return OIDC_SCOPES.includes(scope) ? [{ path, problem: `is a scope of no API: ${OIDC_LIST} are not listed` }] : [];
}

const OIDC_LIST = OIDC_SCOPES.join(", ").replace(/, (?=\w+$)/, " and ");

/** An entry names APIs, and each API and scope that it names is one of the policy. */
function apiProblems({ apis }: PolicyDraft, entry: Entry, path: string): PolicyProblem[] {
  const lists = Object.entries(entry.apis ?? {});
  if (entry.apis !== undefined && lists.length === 0) return [{ path: `${path}.apis`, problem: "names no API" }];
  if (apis === undefined) return [];
  return lists.flatMap(([name, scopes]) => {
    const at = `${path}.apis.${name}`;
    if (!Object.hasOwn(apis, name)) return [{ path: at, problem: "is not in apis" }];
    const known = apis[name]?.scopes;
    return scopes.flatMap((scope, index) => {
      const problems = oidcProblems(scope, `${at}.${index}`);
      const listed = known === undefined || known.includes(scope) || problems.length > 0;
      return listed ? problems : [{ path: `${at}.${index}`, problem: `is not in apis.${name}.scopes` }];
    });
  });
}

/** Scopes are the intersection with the list of the client that obtained the user's token: without an entry, nothing. */
function subjectProblems({ callers }: PolicyDraft, entry: Entry, path: string): PolicyProblem[] {
  if (entry.kind === "user") return [];
  return (entry.subjectClients ?? []).flatMap((client, index) => {
    const known = callers.some(({ kind = "user", clientId = client }) => kind === "user" && clientId === client);
    return known ? [] : [{ path: `${path}.subjectClients.${index}`, problem: "has no entry of kind user" }];
  });
}

interface EntryRule {
  readonly problem: string;
  isBroken(entry: Entry): boolean;
}

/** Holds for an entry of which these members could not be read. */
function rule<K extends keyof CallerRule>(
  members: readonly K[],
  breaks: (entry: Pick<CallerRule, K>) => boolean,
  problem: string,
): EntryRule {
  return { problem, isBroken: (entry) => has(entry, members) && breaks(entry) };
}

function has<K extends keyof CallerRule>(entry: Entry, members: readonly K[]): entry is Entry & Pick<CallerRule, K> {
  return members.every((name) => Object.hasOwn(entry, name));
}

const RULES: readonly EntryRule[] = [
  rule(
    ["kind", "flows"],
    ({ kind, flows }) => kind === "user" && flows.includes("client-credentials"),
    "is a user: client-credentials is for applications",
  ),
  rule(
    ["kind", "unattended"],
    ({ kind, unattended }) => kind === "user" && unattended,
    "is a user: unattended is for applications",
  ),
  rule(
    ["kind", "subjectClients"],
    ({ kind, subjectClients }) => kind === "user" && subjectClients !== undefined,
    "is a user: subjectClients is for applications",
  ),
  rule(
    ["kind", "flows"],
    ({ kind, flows }) => kind === "user" && flows.includes("authorization-code"),
    "is a user: authorization-code is for applications",
  ),
  rule(
    ["flows", "redirectUris"],
    ({ flows, redirectUris }) => flows.includes("authorization-code") !== redirectUris.length > 0,
    "needs redirectUris exactly with the flow authorization-code",
  ),
  rule(["downstream"], ({ downstream }) => downstream.length > 0, "uses downstream, which this version does not serve"),
  rule(
    ["flows", "offlineAccess"],
    ({ flows, offlineAccess }) => offlineAccess && !flows.includes("refresh-token"),
    "allows offlineAccess without the flow refresh-token",
  ),
  rule(
    ["flows", "importRefreshTokens"],
    ({ flows, importRefreshTokens }) => importRefreshTokens && !flows.includes("refresh-token"),
    "allows importRefreshTokens without the flow refresh-token",
  ),
  rule(
    ["kind", "offlineAccess", "unattended"],
    ({ kind, offlineAccess, unattended }) => kind === "application" && offlineAccess && !unattended,
    "allows offlineAccess without unattended: an application redeems its grants while nobody is there",
  ),
  rule(
    ["kind", "importRefreshTokens", "unattended"],
    ({ kind, importRefreshTokens, unattended }) => kind === "application" && importRefreshTokens && !unattended,
    "allows importRefreshTokens without unattended: an application redeems its grants while nobody is there",
  ),
  rule(
    ["kind", "flows", "apis"],
    ({ kind, flows, apis }) =>
      kind === "application" &&
      flows.includes("client-credentials") &&
      !Object.values(apis).some((scopes) => scopes.includes(".default")),
    "has the flow client-credentials and no .default in any of its API lists",
  ),
];
