/** Describes in plain English what a policy allows. Pure. */

import { describeRule } from "./downstream-rules.ts";
import { DEFAULT_BYPASS_PER_MINUTE } from "./evaluate.ts";
import { subjectClientsOf } from "./policy-findings.ts";
import type { CallerRule, Policy } from "./rules.ts";

/** What each caller may do, one paragraph per entry. */
export function describePolicy(policy: Policy): string[] {
  return [...describeCutOff(policy), ...policy.callers.flatMap(describeEntry)];
}

// ---------------------------------------------------------------------------------------------------------------

function describeCutOff({ grantsNotBefore }: Policy): string[] {
  return grantsNotBefore === undefined ? [] : [`no entry may redeem grants that were allowed until ${grantsNotBefore}`];
}

function describeEntry(entry: CallerRule): string[] {
  return [
    `${entry.name} (${entry.kind} ${entry.clientId ?? `agents of blueprint ${entry.blueprint}`}${entry.role === undefined ? "" : ` with role ${entry.role}`})`,
    ...(entry.purpose === undefined ? [] : [`  asks people for this purpose: ${entry.purpose}`]),
    `  may use the flows ${entry.flows.join(", ")}`,
    ...describeRegistration(entry),
    ...describeApis(entry),
    ...describeTerms(entry).map((line) => `  ${line}`),
  ];
}

function describeRegistration({ registration }: CallerRule): string[] {
  return registration === undefined ? [] : [`  presents tokens for the registration ${registration}`];
}

function describeApis(entry: CallerRule): string[] {
  const verb = entry.release === "none" ? "may use, without getting a token," : "may have";
  return [
    ...Object.entries(entry.apis).map(([api, scopes]) => `  ${verb} ${api}: ${scopes.join(" ")}`),
    ...Object.entries(entry.downstream).flatMap(([api, rules]) =>
      rules.map((rule) => `  may send through the relay to ${api}: ${describeRule(rule)}`),
    ),
  ];
}

function describeTerms(entry: CallerRule): string[] {
  const lines: [boolean, string][] = [
    [entry.requireConfidentialClient, "must be a confidential client"],
    [entry.offlineAccess, `may get grants that last ${entry.grantMaxDays} days`],
    [entry.maxGrantsPerUser !== 20, `may have ${entry.maxGrantsPerUser} grants of one person`],
    [entry.keepAliveDays !== undefined, `has its grants kept alive after ${entry.keepAliveDays} idle days`],
    [entry.requireConfirmation, "gets a code only after the person confirms"],
    [entry.unattended, "may redeem grants without the user"],
    [entry.anyPersonMayAllow, "may make sign-in links that any person can answer"],
    [entry.linkMinutes !== 10, `makes sign-in links for one person that last ${entry.linkMinutes} minutes`],
    [entry.importRefreshTokens, "may import refresh tokens from Entra"],
    [entry.acceptSurplus, "gets tokens even if they carry more scopes than listed"],
    [entry.cae, "gets long-lived tokens that Graph may challenge"],
  ];
  const { grantsNotBefore } = entry;
  const { bypassPerMinute = DEFAULT_BYPASS_PER_MINUTE, ...limits } = entry.limits;
  const set: [number | undefined, string][] = [
    [limits.missesPerMinute, "may miss the token cache # times a minute for each user and API"],
    [limits.requestsAtOnce, "may have # requests at once on each instance"],
    [limits.requestsPerMinute, "may send # requests a minute"],
  ];
  return [
    ...lines.filter(([holds]) => holds).map(([, text]) => text),
    ...(grantsNotBefore === undefined ? [] : [`may not redeem grants that were allowed until ${grantsNotBefore}`]),
    ...subjectClientsOf(entry).map((client) => `may exchange users' tokens obtained by ${client}`),
    ...entry.clientAuthentication.map((method) => CLIENT_AUTHENTICATION[method]),
    ...entry.redirectUris.map((uri) => `receives authorization codes at ${uri}`),
    `may bypass the token cache ${bypassPerMinute} times a minute for each user`,
    ...set.flatMap(([limit, text]) => (limit === undefined ? [] : [text.replace("#", `${limit}`)])),
  ];
}

const CLIENT_AUTHENTICATION: Readonly<Record<CallerRule["clientAuthentication"][number], string>> = {
  entra_secret: "may authenticate with its own Entra secret, which Entra proves",
  entra_assertion: "may authenticate with an assertion that it signs, which Entra proves",
  ignored_with_subject: "may send any secret with a user's token; the secret is ignored",
};
