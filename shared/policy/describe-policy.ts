/** Describes in plain English what a policy allows. Pure. */

import { describeRule } from "./downstream-rules.ts";
import { DEFAULT_BYPASS_PER_MINUTE } from "./evaluate.ts";
import { subjectClientsOf } from "./policy-findings.ts";
import type { CallerRule, Policy } from "./rules.ts";

/** What each caller may do, one paragraph per entry. */
export function describePolicy(policy: Policy): string[] {
  return policy.callers.flatMap((entry) => [
    `${entry.name} (${entry.kind} ${entry.clientId}${entry.role === undefined ? "" : ` with role ${entry.role}`})`,
    `  may use the flows ${entry.flows.join(", ")}`,
    ...describeRegistration(entry),
    ...Object.entries(entry.apis).map(
      ([api, scopes]) => `  may ${entry.release === "none" ? "use" : "have"} ${api}: ${scopes.join(" ")}`,
    ),
    ...describeTerms(entry).map((line) => `  ${line}`),
  ]);
}

// ---------------------------------------------------------------------------------------------------------------

function describeRegistration({ registration }: CallerRule): string[] {
  return registration === undefined ? [] : [`  presents tokens for the registration ${registration}`];
}

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
