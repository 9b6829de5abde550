/**
 * What an administrator should know about a policy that the service accepts. An error is an entry that cannot work: the
 * check of a policy fails, although a running service starts with it, so that an update of the service stops no tenant. A
 * warning is an entry that works and allows more than most need. Pure.
 */
import type { PolicyFinding } from "./policy-finding.ts";
import { isSameRegistration } from "./registrations.ts";
import type { CallerRule, Policy } from "./rules.ts";
import { DEFAULT_SCOPE } from "./scope-names.ts";
import { surplusFindings } from "./surplus-findings.ts";

/** The errors and warnings of a valid policy, in the order of its entries. */
export function policyFindings(policy: Policy): PolicyFinding[] {
  return [...surplusFindings(policy), ...unusedScopes(policy), ...policy.callers.flatMap(entryFindings(policy))];
}

/** The clients whose users' tokens an application may exchange. Default: its own client. */
export function subjectClientsOf(entry: CallerRule): readonly string[] {
  const exchanges = entry.kind === "application" && entry.flows.includes("on-behalf-of");
  return exchanges ? (entry.subjectClients ?? (entry.clientId === undefined ? [] : [entry.clientId])) : [];
}

// ---------------------------------------------------------------------------------------------------------------

/** A scope that no entry may use is probably left over, and Entra puts it into each token if it is consented. */
function unusedScopes({ apis, callers }: Policy): PolicyFinding[] {
  return Object.entries(apis).flatMap(([api, { scopes }]) => {
    const lists = callers.filter(({ apis }) => Object.hasOwn(apis, api)).map(({ apis }) => apis[api] ?? []);
    if (lists.length === 0) return [];
    return scopes.flatMap((scope, index): PolicyFinding[] =>
      lists.some((list) => list.includes(scope))
        ? []
        : [
            {
              severity: "warning",
              path: `apis.${api}.scopes.${index}`,
              problem: "is in no entry's list",
              effect: `no caller gets it. If it is consented for the registration, Entra puts it into each token for ${api}, and callers get 500 scope_surplus`,
            },
          ],
    );
  });
}

function entryFindings(policy: Policy): (entry: CallerRule, index: number) => PolicyFinding[] {
  return (entry, index) => [
    ...exchangesNothing(policy, entry, index),
    ...mixedDefault(entry, index),
    ...ENTRY_RULES.filter(({ applies }) => applies(entry)).map(({ applies: _, ...finding }) => ({
      ...finding,
      path: `callers.${index}`,
    })),
  ];
}

interface EntryRule extends Omit<PolicyFinding, "path"> {
  readonly applies: (entry: CallerRule) => boolean;
}

const ENTRY_RULES: readonly EntryRule[] = [
  {
    severity: "error",
    applies: ({ kind, flows, unattended }) => kind === "application" && flows.includes("refresh-token") && !unattended,
    members: ["flows"],
    problem: "has the flow refresh-token without unattended, so it can redeem no grant",
    effect: "each request with this flow gets 403 unattended_not_allowed",
    remedies: ['set "unattended": true', "remove the flow refresh-token"],
  },
  {
    severity: "warning",
    applies: ({ acceptSurplus, release }) => acceptSurplus && release === "token",
    members: ["acceptSurplus"],
    problem: "accepts surplus scopes",
    effect:
      "the caller gets each scope that is consented for the registration, including those that are not in its list",
  },
  {
    severity: "warning",
    applies: ({ kind, offlineAccess, requireConfidentialClient }) =>
      kind === "user" && offlineAccess && !requireConfidentialClient,
    members: ["offlineAccess"],
    problem: "allows grants for public clients",
    effect: "any program that knows the client id can ask a person to sign in, and gets a grant",
    remedies: ['set "requireConfidentialClient": true if the client has a credential at Entra'],
  },
  {
    severity: "warning",
    applies: ({ importRefreshTokens }) => importRefreshTokens,
    members: ["importRefreshTokens"],
    problem: "accepts refresh tokens of Entra, which is for a migration",
    effect: "the caller turns each refresh token that it holds into a grant",
    remedies: ["remove importRefreshTokens after the migration"],
  },
];

/** Entra refuses `.default` together with another scope, so a request names one or the other. */
function mixedDefault({ apis, flows }: CallerRule, index: number): PolicyFinding[] {
  if (!flows.some((flow) => flow !== "client-credentials")) return [];
  return Object.entries(apis).flatMap(([api, scopes]): PolicyFinding[] =>
    scopes.length > 1 && scopes.includes(DEFAULT_SCOPE)
      ? [
          {
            severity: "warning",
            path: `callers.${index}.apis.${api}`,
            problem: "has .default beside other scopes, in an entry with a flow that acts for a person",
            effect:
              "a request for .default asks Entra for each consented scope, and gets no other token than a request without scopes",
            remedies: ["remove .default from this list"],
          },
        ]
      : [],
  );
}

/** An application may exchange only tokens of people whose client has an entry with one of the application's scopes. */
function exchangesNothing({ callers }: Policy, entry: CallerRule, index: number): PolicyFinding[] {
  if (entry.kind !== "application" || !entry.flows.includes("on-behalf-of")) return [];
  const clients = subjectClientsOf(entry);
  // The agents of a blueprint exchange the tokens that they obtained themselves.
  const byAgents = entry.clientId === undefined && entry.subjectClients === undefined;
  const mayObtain = byAgents ? isOfBlueprint(entry.blueprint) : isOneOf(clients);
  const people = callers.filter(
    (other) => other.kind === "user" && mayObtain(other) && isSameRegistration(other, entry),
  );
  const shared = ([api, scopes]: [string, readonly string[]]) =>
    people.some(({ apis }) => Object.hasOwn(apis, api) && apis[api]?.some((scope) => scopes.includes(scope)));
  if (Object.entries(entry.apis).some(shared)) return [];
  const names = people.map(({ name }) => name).join(", ");
  return [
    {
      severity: "error",
      path: `callers.${index}`,
      members: ["flows", "subjectClients"],
      ...(people.length === 0
        ? {
            problem: `has the flow on-behalf-of, ${reasonWithoutPeople(clients)}`,
            effect: "each request with this flow gets 403 subject_client_not_allowed",
          }
        : {
            problem: `has the flow on-behalf-of, but shares no scope with ${names}, whose users' tokens it may exchange`,
            effect: "each request with this flow gets 403 api_not_allowed",
          }),
      remedies: [
        "add an entry of kind user with the scopes, for the client that obtains the users' tokens",
        "name that client in subjectClients",
        "remove the flow on-behalf-of",
      ],
    },
  ];
}

/** Whether an agent of the blueprint may be the client of the entry. An entry with a client id can be an agent's own. */
function isOfBlueprint(agents: string | undefined): (entry: CallerRule) => boolean {
  return ({ clientId, blueprint }) => clientId !== undefined || blueprint === agents;
}

function isOneOf(clients: readonly string[]): (entry: CallerRule) => boolean {
  return ({ clientId }) => clientId !== undefined && clients.includes(clientId);
}

function reasonWithoutPeople(clients: readonly string[]): string {
  return clients.length === 0
    ? "and subjectClients is empty"
    : `but no entry of kind user with its registration has the client id ${clients.join(" or ")}`;
}
