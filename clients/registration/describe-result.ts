/** The result in words for an administrator. Pure. */
import type { ConsentFinding } from "./consent-finding.ts";
import { SIGN_IN_SCOPES } from "./required-permissions.ts";
import type { NameProblem, ResolvedApi } from "./resolve-permissions.ts";
import type { ResolvedRegistration } from "./resolve-registrations.ts";

export function describeProblem({ api, permission, places, problem, meant }: NameProblem): string[] {
  const name = permission === undefined ? `apis.${api}` : `apis.${api} ${permission}`;
  const listed = places.length === 0 ? "" : ` (${places.join(", ")})`;
  const hint = meant === undefined ? [] : [`  Did you mean ${meant.name}? ${meant.id}  ${meant.description}`];
  return [`problem: ${name}${listed}`, `  ${problem}`, ...hint];
}

/** The permissions of a registration with their ids. */
export function describeRegistration({ name, clientId, apis }: ResolvedRegistration): string[] {
  const heading = `registration ${name}${clientId === undefined ? "" : ` ${clientId}`}`;
  if (apis.length === 0) return [heading, "  needs no permission"];
  const forSignIn = apis.some(({ permissions }) => permissions.some(({ name: one }) => SIGN_IN_SCOPES.includes(one)));
  return [heading, ...apis.flatMap(describeApi), ...(forSignIn ? [SIGN_IN_NOTE] : [])];
}

export function describeFindings(
  { name, clientId }: ResolvedRegistration,
  findings: readonly ConsentFinding[],
): string[] {
  const heading = `consent of registration ${name} ${clientId ?? ""}`.trimEnd();
  if (findings.length === 0) return [heading, "  is what the policy needs"];
  return [heading, ...findings.flatMap(describeFinding)];
}

// ---------------------------------------------------------------------------------------------------------------

/** Why the output has names that the policy does not have. */
const SIGN_IN_NOTE = `  ${SIGN_IN_SCOPES.join(", ")}: for the sign-in; the policy does not name them`;

function describeApi({ displayName, appId, permissions, kind }: ResolvedApi): string[] {
  const width = Math.max(0, ...permissions.map((permission) => permission.name.length));
  return [
    `  ${displayName} ${appId} (${kind})`,
    ...permissions.map(
      ({ name, id, adminConsent, description }) =>
        `    ${name.padEnd(width)}  ${id}  ${adminConsent ? "admin consent" : "user consent "}  ${description}`,
    ),
  ];
}

function describeFinding({ kind, what, effects, mend }: ConsentFinding): string[] {
  return [
    `  ${kind.toUpperCase()} ${what}`,
    ...effects.map(({ caller, text }) => `    ${caller}: ${text}`),
    ...(effects.length === 0 ? ["    No caller meets an error."] : []),
    ...mend.slice(0, MOST_COMMANDS).map((command) => `    mend: ${command}`),
    ...(mend.length > MOST_COMMANDS ? [`    mend: ${mend.length - MOST_COMMANDS} more commands, with --json`] : []),
  ];
}

/** Consent of single persons needs a command for each. */
const MOST_COMMANDS = 20;
