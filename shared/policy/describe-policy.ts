/**
 * Says in plain lines what a policy allows and what an administrator should know about it. Pure.
 */

import { DEFAULT_BYPASS_PER_MINUTE } from "./evaluate.ts";
import type { CallerRule, Policy } from "./rules.ts";

/** Who may do what, one paragraph a caller. */
export function describePolicy(policy: Policy): string[] {
  return policy.callers.flatMap((entry) => [
    `${entry.name} (${entry.kind} ${entry.clientId}${entry.role === undefined ? "" : ` with role ${entry.role}`})`,
    `  may use ${entry.flows.join(", ")}`,
    ...Object.entries(entry.apis).map(([api, scopes]) => `  may have ${api}: ${scopes.join(" ")}`),
    ...permissions(entry).map((permission) => `  ${permission}`),
  ]);
}

/** Things that are allowed and deserve a second look. */
export function policyWarnings(policy: Policy): string[] {
  return [...tierWarnings(policy), ...policy.callers.flatMap((entry) => entryWarnings(policy, entry))];
}

function permissions(entry: CallerRule): string[] {
  const said: [boolean, string][] = [
    [entry.requireConfidentialClient, "must be a confidential client"],
    [entry.offlineAccess, `may keep a permission for ${entry.grantMaxDays} days`],
    [entry.unattended, "may redeem grants while nobody is there"],
    [entry.importRefreshTokens, "may bring refresh tokens of Entra"],
    [entry.acceptSurplus, "gets tokens even when they carry more scopes than listed"],
    [entry.cae, "gets long-lived tokens that Graph may challenge"],
  ];
  const { bypassPerMinute = DEFAULT_BYPASS_PER_MINUTE } = entry.limits;
  return [
    ...said.filter(([holds]) => holds).map(([, text]) => text),
    ...subjectClientsOf(entry).map((client) => `may exchange users' tokens obtained by ${client}`),
    ...entry.redirectUris.map((uri) => `codes go to ${uri}`),
    `may pass the token cache by ${bypassPerMinute} times a minute for each user`,
  ];
}

/** Of an application; by default, its own client. */
function subjectClientsOf(entry: CallerRule): readonly string[] {
  const exchanges = entry.kind === "application" && entry.flows.includes("on-behalf-of");
  return exchanges ? (entry.subjectClients ?? [entry.clientId]) : [];
}

/**
 * Entra puts every scope that was consented for the registration into each token, so callers with different lists for
 * one API cannot be told apart by it: whoever has the shorter list is refused (`scope_surplus`), unless it accepts all.
 */
function tierWarnings(policy: Policy): string[] {
  return Object.keys(policy.apis).flatMap((api) => {
    const lists = policy.callers
      .filter((entry) => Object.hasOwn(entry.apis, api) && entry.flows.some((flow) => flow !== "client-credentials"))
      .map((entry) => ({ name: entry.name, scopes: [...(entry.apis[api] ?? [])].sort().join(" ") }));
    const different = new Set(lists.map((list) => list.scopes)).size > 1;
    const who = lists.map((list) => `${list.name} (${list.scopes})`).join("; ");
    return different
      ? [
          `${api}: callers share one registration but have different scope lists: ${who}. Entra does not narrow a token ` +
            "to what was asked; give each tier a deployment or registration of its own.",
        ]
      : [];
  });
}

function entryWarnings(policy: Policy, entry: CallerRule): string[] {
  const warnings: string[] = [];
  if (exchangesNothing(policy, entry)) {
    warnings.push(
      `${entry.name}: on-behalf-of gives nothing: no client whose users' tokens it may exchange has an entry of kind user ` +
        "with a scope of its list.",
    );
  }
  if (entry.kind === "application" && entry.flows.includes("refresh-token") && !entry.unattended) {
    warnings.push(`${entry.name}: refresh-token gives nothing without unattended.`);
  }
  if (entry.acceptSurplus) {
    warnings.push(`${entry.name}: acceptSurplus releases whatever was consented for the registration.`);
  }
  if (entry.kind === "user" && entry.offlineAccess && !entry.requireConfidentialClient) {
    warnings.push(`${entry.name}: public clients may keep permissions; consider requireConfidentialClient.`);
  }
  if (entry.importRefreshTokens) {
    warnings.push(`${entry.name}: importRefreshTokens is meant for a migration; take it out afterwards.`);
  }
  return warnings;
}

/** An application's scopes are those that the entry of the client that obtained the user's token has as well. */
function exchangesNothing({ callers }: Policy, entry: CallerRule): boolean {
  if (entry.kind !== "application" || !entry.flows.includes("on-behalf-of")) return false;
  const clients = subjectClientsOf(entry);
  const people = callers.filter(({ kind, clientId }) => kind === "user" && clients.includes(clientId));
  const shared = ([api, scopes]: [string, readonly string[]]) =>
    people.some(({ apis }) => Object.hasOwn(apis, api) && apis[api]?.some((scope) => scopes.includes(scope)));
  return !Object.entries(entry.apis).some(shared);
}
