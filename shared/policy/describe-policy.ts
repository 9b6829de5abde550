/**
 * Says in plain lines what a policy allows and what an administrator should know about it. Pure.
 */
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
  return [...tierWarnings(policy), ...policy.callers.flatMap(entryWarnings)];
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
  const subjects = entry.subjectClients?.map((client) => `may exchange users' tokens obtained by ${client}`) ?? [];
  return [...said.filter(([holds]) => holds).map(([, text]) => text), ...subjects];
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

function entryWarnings(entry: CallerRule): string[] {
  const warnings: string[] = [];
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
