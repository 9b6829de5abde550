/** Describes in plain English what a policy allows and what an administrator should check. Pure. */

import { describeRule } from "./downstream-rules.ts";
import { DEFAULT_BYPASS_PER_MINUTE } from "./evaluate.ts";
import type { CallerRule, Policy } from "./rules.ts";

/** What each caller may do, one paragraph per entry. */
export function describePolicy(policy: Policy): string[] {
  return policy.callers.flatMap((entry) => [
    `${entry.name} (${entry.kind} ${entry.clientId}${entry.role === undefined ? "" : ` with role ${entry.role}`})`,
    `  may use the flows ${entry.flows.join(", ")}`,
    ...Object.entries(entry.apis).map(
      ([api, scopes]) => `  may ${entry.release === "none" ? "use" : "have"} ${api}: ${scopes.join(" ")}`,
    ),
    ...describeTerms(entry).map((line) => `  ${line}`),
  ]);
}

/** Parts of a valid policy that an administrator should check. */
export function policyWarnings(policy: Policy): string[] {
  return [...scopeListWarnings(policy), ...policy.callers.flatMap((entry) => entryWarnings(policy, entry))];
}

// ---------------------------------------------------------------------------------------------------------------

function describeTerms(entry: CallerRule): string[] {
  const lines: [boolean, string][] = [
    [entry.requireConfidentialClient, "must be a confidential client"],
    [entry.offlineAccess, `may get grants that last ${entry.grantMaxDays} days`],
    [entry.unattended, "may redeem grants without the user"],
    [entry.importRefreshTokens, "may import refresh tokens from Entra"],
    [entry.acceptSurplus, "gets tokens even if they carry more scopes than listed"],
    [entry.cae, "gets long-lived tokens that Graph may challenge"],
  ];
  const { bypassPerMinute = DEFAULT_BYPASS_PER_MINUTE } = entry.limits;
  return [
    ...(entry.release === "none" ? ["gets no token: it uses APIs through the relay only"] : []),
    ...Object.entries(entry.downstream).flatMap(([api, rules]) =>
      rules.map((rule) => `may send to ${api}: ${describeRule(rule)}`),
    ),
    ...lines.filter(([holds]) => holds).map(([, text]) => text),
    ...subjectClientsOf(entry).map((client) => `may exchange users' tokens obtained by ${client}`),
    ...entry.redirectUris.map((uri) => `receives authorization codes at ${uri}`),
    `may bypass the token cache ${bypassPerMinute} times a minute for each user`,
  ];
}

/** The clients whose users' tokens an application may exchange. Default: its own client. */
function subjectClientsOf(entry: CallerRule): readonly string[] {
  const exchanges = entry.kind === "application" && entry.flows.includes("on-behalf-of");
  return exchanges ? (entry.subjectClients ?? [entry.clientId]) : [];
}

/**
 * Entra puts every scope that was consented for the registration into each token. If callers have different lists for
 * one API, the caller with the shorter list is refused (`scope_surplus`) unless its entry accepts surplus.
 */
function scopeListWarnings(policy: Policy): string[] {
  return Object.keys(policy.apis).flatMap((api) => {
    const lists = policy.callers
      // An entry that gets no token is not refused for surplus scopes.
      .filter(
        (entry) =>
          entry.release !== "none" &&
          Object.hasOwn(entry.apis, api) &&
          entry.flows.some((flow) => flow !== "client-credentials"),
      )
      .map((entry) => ({ name: entry.name, scopes: [...(entry.apis[api] ?? [])].sort().join(" ") }));
    const different = new Set(lists.map((list) => list.scopes)).size > 1;
    const who = lists.map((list) => `${list.name} (${list.scopes})`).join("; ");
    return different
      ? [
          `${api}: callers share one registration but have different scope lists: ${who}. Entra does not narrow a token ` +
            "to the requested scopes; use a separate deployment or registration for each list, or give the narrower callers " +
            'release "none" with downstream rules, so that they use the API through the relay and get no token.',
        ]
      : [];
  });
}

function entryWarnings(policy: Policy, entry: CallerRule): string[] {
  const warnings: string[] = [];
  if (exchangesNothing(policy, entry)) {
    warnings.push(
      `${entry.name}: on-behalf-of never returns a token: no client whose users' tokens it may exchange has an entry of kind user ` +
        "with a scope of its list.",
    );
  }
  if (entry.kind === "application" && entry.flows.includes("refresh-token") && !entry.unattended) {
    warnings.push(`${entry.name}: the flow refresh-token is refused without unattended.`);
  }
  if (entry.acceptSurplus) {
    warnings.push(`${entry.name}: acceptSurplus releases every scope that was consented for the registration.`);
  }
  if (entry.kind === "user" && entry.offlineAccess && !entry.requireConfidentialClient) {
    warnings.push(`${entry.name}: public clients may get grants; consider requireConfidentialClient.`);
  }
  if (entry.importRefreshTokens) {
    warnings.push(`${entry.name}: importRefreshTokens is meant for a migration; remove it afterwards.`);
  }
  return warnings;
}

/** True if no client whose users' tokens the application may exchange has a scope of the application's list. */
function exchangesNothing({ callers }: Policy, entry: CallerRule): boolean {
  if (entry.kind !== "application" || !entry.flows.includes("on-behalf-of")) return false;
  const clients = subjectClientsOf(entry);
  const people = callers.filter(({ kind, clientId }) => kind === "user" && clients.includes(clientId));
  const shared = ([api, scopes]: [string, readonly string[]]) =>
    people.some(({ apis }) => Object.hasOwn(apis, api) && apis[api]?.some((scope) => scopes.includes(scope)));
  return !Object.entries(entry.apis).some(shared);
}
