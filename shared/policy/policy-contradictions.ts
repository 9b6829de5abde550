/**
 * Problems of a policy that a schema cannot express: repeated names, references to APIs that do not exist, entries that
 * could match the same caller, and entries that could never work. An administrator reads them when the service does not
 * start, so that callers do not meet them later. Checks a draft, so that an invalid member hides no problem of another
 * member; it makes no assumption about invalid members. Pure: no I/O, no clock.
 */
import { didYouMean } from "../core/did-you-mean.ts";
import { DEFAULT_REGISTRATION } from "../core/registration-names.ts";
import { baseUrlProblems, downstreamProblems } from "./downstream-contradictions.ts";
import { registrationProblems } from "./registration-problems.ts";
import { isSameRegistration } from "./registrations.ts";
import type { CallerRule, PolicyDraft, PolicyProblem } from "./rules.ts";
import { bareName, meantScope, scopeProblem, spellingProblems } from "./spelling.ts";

export function policyContradictions(draft: PolicyDraft): PolicyProblem[] {
  return [
    ...repeatedValueProblems(draft),
    ...spellingProblems(draft),
    ...registrationProblems(draft),
    ...baseUrlProblems(draft),
    ...draft.callers.flatMap((entry, index) => {
      const path = `callers.${index}`;
      return [
        ...apiProblems(draft, entry, path),
        ...subjectProblems(draft, entry, path),
        ...downstreamProblems(draft, entry, path),
        ...RULES.filter(({ isBroken }) => isBroken(entry)).map(({ problem, members }) => ({ path, problem, members })),
      ];
    }),
  ];
}

// ---------------------------------------------------------------------------------------------------------------

type Entry = PolicyDraft["callers"][number];

function repeatedValueProblems({ apis = {}, callers }: PolicyDraft): PolicyProblem[] {
  const resources = Object.entries(apis).map(([name, { resource }]) => ({ path: `apis.${name}`, value: resource }));
  const names = callers.map(({ name }, index) => ({ path: `callers.${index}`, value: name }));
  const matches = (["clientId", "blueprint"] as const).map((member) => ({
    member,
    items: callers.map(({ kind, [member]: id, registration = DEFAULT_REGISTRATION }, index) => ({
      path: `callers.${index}`,
      value: kind === undefined || id === undefined ? undefined : `${kind} ${id} ${registration}`,
    })),
  }));
  return [
    ...repeated(resources).map(([path, earlier]) => ({
      path: `${path}.resource`,
      problem: `repeats the resource of ${earlier}; each API must have a different resource`,
    })),
    ...repeated(names).map(([path, earlier]) => ({
      path: `${path}.name`,
      problem: `repeats the name of ${earlier}; each entry must have a different name`,
    })),
    // Different roles do not separate two entries, because one token can carry both roles. Different registrations do,
    // because a token is for exactly one.
    ...matches.flatMap(({ member, items }) =>
      repeated(items).map(([path, earlier]) => ({
        path,
        problem: `has the same kind and ${member} as ${earlier}; each caller must match one entry only`,
      })),
    ),
  ];
}

/** The path of each item whose value appeared before, with the path of the first occurrence. */
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

/** An entry must name at least one API, and only APIs and scopes that `apis` defines. */
function apiProblems({ apis }: PolicyDraft, entry: Entry, path: string): PolicyProblem[] {
  const lists = Object.entries(entry.apis ?? {});
  if (entry.apis !== undefined && lists.length === 0)
    return [{ path: `${path}.apis`, problem: "is empty; it must name at least one API" }];
  if (apis === undefined) return [];
  return lists.flatMap(([name, scopes]) => {
    const at = `${path}.apis.${name}`;
    if (!Object.hasOwn(apis, name)) return [unknownApi(`${path}.apis`, name, Object.keys(apis))];
    const { resource, scopes: known } = apis[name] ?? {};
    return scopes.flatMap((scope, index): PolicyProblem[] => {
      const path = `${at}.${index}`;
      // The list in apis has the same problem, or lacks the scope.
      if (known === undefined || known.some((one) => one === scope || bareName(resource, one) === scope)) return [];
      const meant = meantScope(resource, scope, known);
      const unknown = { path, problem: `is not in apis.${name}.scopes${spellingHint(meant)}`, ...suggest(meant) };
      const problems = scopeProblem(path, resource, scope);
      return meant !== undefined || problems.length === 0 ? [unknown] : problems;
    });
  });
}

function unknownApi(path: string, name: string, known: readonly string[]): PolicyProblem {
  const meant = didYouMean(name, known);
  const hint = meant === undefined ? `; apis has ${known.join(", ") || "no API"}` : spellingHint(meant);
  return { path, problem: `names ${name}, which is not in apis${hint}`, members: [name], ...suggest(meant) };
}

function suggest(meant: string | undefined): Pick<PolicyProblem, "suggestion"> {
  return meant === undefined ? {} : { suggestion: meant };
}

function spellingHint(meant: string | undefined): string {
  return meant === undefined ? "" : `; did you mean ${meant}?`;
}

/**
 * The scopes are intersected with the list of the client that obtained the user's token, so that client needs an entry.
 * Entra exchanges a token only for the registration that it was issued for, so both entries need the same one.
 */
function subjectProblems({ callers }: PolicyDraft, entry: Entry, path: string): PolicyProblem[] {
  if (entry.kind === "user") return [];
  return (entry.subjectClients ?? []).flatMap((client, index) => {
    const entries = callers.filter(({ kind = "user", clientId = client }) => kind === "user" && clientId === client);
    if (entries.some((user) => isSameRegistration(user, entry))) return [];
    const problem =
      entries.length === 0
        ? "is a client without an entry of kind user; add the entry or remove the client"
        : "is a client whose entry of kind user names another registration; both entries must name the same one";
    return [{ path: `${path}.subjectClients.${index}`, problem }];
  });
}

interface EntryRule {
  readonly members: readonly string[];
  readonly problem: string;
  isBroken(entry: Entry): boolean;
}

/** A rule about some members of an entry. An entry in which one of them is invalid does not break the rule. */
function entryRule<K extends keyof CallerRule>(
  members: readonly K[],
  breaks: (entry: Pick<CallerRule, K>) => boolean,
  problem: string,
): EntryRule {
  return { members, problem, isBroken: (entry) => hasMembers(entry, members) && breaks(entry) };
}

function hasMembers<K extends keyof CallerRule>(
  entry: Entry,
  members: readonly K[],
): entry is Entry & Pick<CallerRule, K> {
  return members.every((name) => Object.hasOwn(entry, name));
}

const RULES: readonly EntryRule[] = [
  entryRule(
    ["clientId", "blueprint"],
    ({ clientId, blueprint }) => (clientId === undefined) === (blueprint === undefined),
    "must have exactly one of clientId and blueprint",
  ),
  entryRule(
    ["blueprint", "clientAuthentication"],
    ({ blueprint, clientAuthentication }) => blueprint !== undefined && clientAuthentication.length > 0,
    "has blueprint and clientAuthentication; an agent has no secret",
  ),
  entryRule(
    ["kind", "flows"],
    ({ kind, flows }) => kind === "user" && flows.includes("client-credentials"),
    "has kind user and the flow client-credentials, which only kind application may have",
  ),
  entryRule(
    ["kind", "unattended"],
    ({ kind, unattended }) => kind === "user" && unattended,
    "has kind user and unattended, which only kind application may have",
  ),
  entryRule(
    ["kind", "anyPersonMayAllow"],
    ({ kind, anyPersonMayAllow }) => kind === "user" && anyPersonMayAllow,
    "has kind user and anyPersonMayAllow, which only kind application may have",
  ),
  entryRule(
    ["kind", "keepAliveDays"],
    ({ kind, keepAliveDays }) => kind === "user" && keepAliveDays !== undefined,
    "has kind user and keepAliveDays, which only kind application may have",
  ),
  entryRule(
    ["offlineAccess", "importRefreshTokens", "keepAliveDays"],
    ({ offlineAccess, importRefreshTokens, keepAliveDays }) =>
      keepAliveDays !== undefined && !offlineAccess && !importRefreshTokens,
    "has keepAliveDays without offlineAccess; set offlineAccess or remove keepAliveDays",
  ),
  entryRule(
    ["flows", "requireConfirmation"],
    ({ flows, requireConfirmation }) => requireConfirmation && !flows.includes("authorization-code"),
    "has requireConfirmation without the flow authorization-code; add the flow or remove requireConfirmation",
  ),
  entryRule(
    ["kind", "subjectClients"],
    ({ kind, subjectClients }) => kind === "user" && subjectClients !== undefined,
    "has kind user and subjectClients, which only kind application may have",
  ),
  entryRule(
    ["kind", "flows"],
    ({ kind, flows }) => kind === "user" && flows.includes("authorization-code"),
    "has kind user and the flow authorization-code, which only kind application may have",
  ),
  entryRule(
    ["flows", "redirectUris"],
    ({ flows, redirectUris }) => flows.includes("authorization-code") !== redirectUris.length > 0,
    "must have redirectUris if it has the flow authorization-code, and must not have them otherwise",
  ),
  entryRule(
    ["kind", "clientAuthentication"],
    ({ kind, clientAuthentication }) => kind === "user" && clientAuthentication.some((one) => one.startsWith("entra_")),
    "has kind user and clientAuthentication entra_secret or entra_assertion, which only kind application may have",
  ),
  entryRule(
    ["kind", "clientAuthentication"],
    ({ kind, clientAuthentication }) => kind === "application" && clientAuthentication.includes("ignored_with_subject"),
    "has kind application and clientAuthentication ignored_with_subject, which only kind user may have",
  ),
  entryRule(
    ["flows", "clientAuthentication"],
    ({ flows, clientAuthentication }) =>
      clientAuthentication.includes("ignored_with_subject") && !flows.includes("on-behalf-of"),
    "has clientAuthentication ignored_with_subject without the flow on-behalf-of; add the flow or remove it",
  ),
  entryRule(
    ["flows", "offlineAccess"],
    ({ flows, offlineAccess }) => offlineAccess && !flows.includes("refresh-token"),
    "has offlineAccess without the flow refresh-token; add the flow or remove offlineAccess",
  ),
  entryRule(
    ["flows", "importRefreshTokens"],
    ({ flows, importRefreshTokens }) => importRefreshTokens && !flows.includes("refresh-token"),
    "has importRefreshTokens without the flow refresh-token; add the flow or remove importRefreshTokens",
  ),
  entryRule(
    ["kind", "offlineAccess", "unattended"],
    ({ kind, offlineAccess, unattended }) => kind === "application" && offlineAccess && !unattended,
    "has kind application and offlineAccess without unattended; set unattended or remove offlineAccess",
  ),
  entryRule(
    ["kind", "importRefreshTokens", "unattended"],
    ({ kind, importRefreshTokens, unattended }) => kind === "application" && importRefreshTokens && !unattended,
    "has kind application and importRefreshTokens without unattended; set unattended or remove importRefreshTokens",
  ),
  entryRule(
    ["kind", "flows", "apis"],
    ({ kind, flows, apis }) =>
      kind === "application" &&
      flows.includes("client-credentials") &&
      !Object.values(apis).some((scopes) => scopes.includes(".default")),
    "has the flow client-credentials but no .default in its API lists; list .default for at least one API",
  ),
];
