/**
 * Entries that would always get 500 `scope_surplus`. Entra does not narrow a token to the requested scopes: it has every
 * scope that is consented for the registration. So if entries with one registration have different lists for an API, only
 * those with the whole list get a token. Pure.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/scopes-oidc#the-default-scope
 */
import type { PolicyFinding } from "./policy-finding.ts";
import type { CallerRule, Policy } from "./rules.ts";
import { DEFAULT_SCOPE } from "./scope-names.ts";

export function surplusFindings(policy: Policy): PolicyFinding[] {
  return Object.keys(policy.apis).flatMap((api) =>
    [...byRegistration(policy, api).values()].flatMap((users) => apiFindings(api, users)),
  );
}

// ---------------------------------------------------------------------------------------------------------------

/** An entry for which Entra issues delegated tokens for the API. */
interface ApiUser {
  readonly entry: CallerRule;
  readonly index: number;
  readonly scopes: readonly string[];
}

/** Application tokens come from another registration, so entries with only that flow do not count. */
function byRegistration({ callers }: Policy, api: string): Map<string | undefined, ApiUser[]> {
  const users = callers.flatMap((entry, index): ApiUser[] => {
    const scopes = Object.hasOwn(entry.apis, api) ? entry.apis[api] : undefined;
    const isDelegated = entry.flows.some((flow) => flow !== "client-credentials");
    return scopes !== undefined && isDelegated ? [{ entry, index, scopes }] : [];
  });
  return Map.groupBy(users, ({ entry }) => entry.registration);
}

function apiFindings(api: string, users: readonly ApiUser[]): PolicyFinding[] {
  const consented = [...new Set(users.flatMap(({ scopes }) => scopes))].filter((scope) => scope !== DEFAULT_SCOPE);
  return users.flatMap((user) => {
    if (user.entry.acceptSurplus || user.entry.release === "none") return [];
    const surplus = consented.filter((scope) => !user.scopes.includes(scope));
    if (surplus.length > 0) return [surplusFinding(api, user, surplus, entriesWithAny(users, surplus))];
    return user.scopes.every((scope) => scope === DEFAULT_SCOPE) ? [onlyDefault(api, user)] : [];
  });
}

/** Names of the entries that have one of these scopes. */
function entriesWithAny(users: readonly ApiUser[], surplus: readonly string[]): readonly string[] {
  return users.filter(({ scopes }) => surplus.some((scope) => scopes.includes(scope))).map(({ entry }) => entry.name);
}

function surplusFinding(
  api: string,
  { entry, index }: ApiUser,
  surplus: readonly string[],
  others: readonly string[],
): PolicyFinding {
  const { name } = entry;
  const relayed = Object.hasOwn(entry.downstream, api);
  const missing = surplus.join(" ");
  return {
    severity: "error",
    path: `callers.${index}.apis.${api}`,
    problem: `lacks ${missing}, which ${joinNames(others)} ${others.length === 1 ? "has" : "have"} with the same registration`,
    effect: `a caller gets 500 scope_surplus on every ${relayed ? "request for a token" : "call"} for ${api}: Entra puts ${missing} into each token of the registration`,
    remedies: [
      `set "release": "none" for ${name}${relayed ? "" : ` and relay rules for ${api} in "downstream"`}: it calls the API without a token`,
      `give ${name} a registration of its own: add it to "registrations" and name it in "registration"`,
      `use the same list: add ${missing} to ${api} of ${name}, or remove it from ${joinNames(others)}`,
    ],
  };
}

function onlyDefault(api: string, { entry, index }: ApiUser): PolicyFinding {
  return {
    severity: "error",
    path: `callers.${index}.apis.${api}`,
    problem: `has only .default, in an entry with a flow that acts for a person`,
    effect: `a caller gets 500 scope_surplus on every call for ${api}: the token has the names of the consented scopes, and the list has none of them`,
    remedies: [`list the scopes of ${entry.name} by name`],
  };
}

/** A policy can have hundreds of entries: three names are enough to find the others. */
function joinNames(names: readonly string[]): string {
  const more = names.length - 3;
  return more > 0 ? `${names.slice(0, 3).join(", ")} and ${more} more` : names.join(" and ");
}
