/** What is wrong with the registrations of a policy, and with the entries that name them. Pure. */
import { didYouMean } from "../core/did-you-mean.ts";
import { APP_ONLY_REGISTRATION, DEFAULT_REGISTRATION } from "../core/registration-names.ts";
import type { PolicyDraft, PolicyProblem } from "./rules.ts";

/** Each registration needs a key set, a credential and a readiness check in every instance. */
const REGISTRATIONS_MAX = 16;

export function registrationProblems({ registrations, callers }: PolicyDraft): PolicyProblem[] {
  if (registrations === undefined) return [];
  const names = Object.keys(registrations);
  return [
    ...(names.length > REGISTRATIONS_MAX
      ? [{ path: "registrations", problem: `must have at most ${REGISTRATIONS_MAX} members` }]
      : []),
    ...names.flatMap((name) => nameProblems(name)),
    ...repetitions(registrations, "clientId", ({ clientId }) => clientId),
    ...repetitions(registrations, "appIdUri", appIdUriOf),
    ...namesOfOthers(registrations),
    ...callers.flatMap(({ registration, clientId }, index) => [
      ...unknownRegistration(names, registration, `callers.${index}`),
      ...ownClient(registrations, clientId, `callers.${index}`),
    ]),
    ...repeatedProofs(callers),
    ...names
      .filter((name) => !callers.some(({ registration }) => registration === name))
      .filter((name) => nameProblems(name).length === 0)
      .map((name) => ({ path: `registrations.${name}`, problem: "is named by no entry; name it or remove it" })),
  ];
}

// ---------------------------------------------------------------------------------------------------------------

/** Names that stand for the registrations of the settings. */
const RESERVED = new Map([
  [DEFAULT_REGISTRATION, "CLIENT_ID"],
  [APP_ONLY_REGISTRATION, "APP_ONLY_CLIENT_ID"],
]);

/** The methods with which a client proves itself at Entra: its request does not say for which registration. */
const PROOFS = ["entra_secret", "entra_assertion"] as const;

function repeatedProofs(callers: PolicyDraft["callers"]): PolicyProblem[] {
  return callers.flatMap((entry, index) =>
    PROOFS.filter((method) => proves(entry, method)).flatMap((method): PolicyProblem[] => {
      const earlier = callers.findIndex((one) => one.clientId === entry.clientId && proves(one, method));
      // Two entries of one client with one registration are another problem.
      if (earlier === index || callers[earlier]?.registration === entry.registration) return [];
      const problem = `lists ${method} as callers.${earlier} does, for the same clientId and another registration; a client's own credential names no registration, so only one entry of a client may list it`;
      return [{ path: `callers.${index}.clientAuthentication`, problem }];
    }),
  );
}

function proves(
  { kind, clientId, clientAuthentication = [] }: PolicyDraft["callers"][number],
  method: string,
): boolean {
  return kind === "application" && clientId !== undefined && clientAuthentication.some((one) => one === method);
}

type Drafts = NonNullable<PolicyDraft["registrations"]>;

function nameProblems(name: string): PolicyProblem[] {
  const setting = RESERVED.get(name);
  return setting === undefined
    ? []
    : [{ path: `registrations.${name}`, problem: `has the name of the registration of ${setting}; choose another` }];
}

function appIdUriOf({ appIdUri, clientId }: Drafts[string]): string | undefined {
  return appIdUri ?? (clientId === undefined ? undefined : `api://${clientId}`);
}

function repetitions(
  registrations: Drafts,
  member: "clientId" | "appIdUri",
  read: (registration: Drafts[string]) => string | undefined,
): PolicyProblem[] {
  const seen = new Map<string, string>();
  return Object.entries(registrations).flatMap(([name, registration]): PolicyProblem[] => {
    // Entra compares App ID URIs without case.
    const value = read(registration)?.toLowerCase();
    if (value === undefined) return [];
    const earlier = seen.get(value);
    if (earlier === undefined) {
      seen.set(value, name);
      return [];
    }
    // Two registrations with one client id have one default App ID URI: that is one problem.
    if (member === "appIdUri" && registrations[earlier]?.clientId === registration.clientId) return [];
    const problem = `repeats the ${member} of registrations.${earlier}; each registration must have a different one`;
    return [{ path: `registrations.${name}.${member}`, problem }];
  });
}

/** `api://<clientId>` names the registration with this client id, even if it has another App ID URI. */
function namesOfOthers(registrations: Drafts): PolicyProblem[] {
  return Object.entries(registrations).flatMap(([name, { appIdUri }]) => {
    const other = Object.entries(registrations).find(
      ([otherName, one]) =>
        otherName !== name &&
        one.clientId !== undefined &&
        appIdUriOf(one) !== `api://${one.clientId}` &&
        appIdUri?.toLowerCase() === `api://${one.clientId}`,
    );
    const problem = `names registrations.${other?.[0]} by its clientId; each registration must have a different one`;
    return other === undefined ? [] : [{ path: `registrations.${name}.appIdUri`, problem }];
  });
}

function unknownRegistration(names: readonly string[], registration: string | undefined, at: string): PolicyProblem[] {
  if (registration === undefined || names.includes(registration)) return [];
  const path = `${at}.registration`;
  if (registration === DEFAULT_REGISTRATION) {
    return [{ path, problem: "must be left out for the registration of CLIENT_ID" }];
  }
  const meant = didYouMean(registration, names);
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  return [{ path, problem: `is not defined in registrations${hint}` }];
}

/** The service refuses tokens that were issued to one of its registrations. */
function ownClient(registrations: Drafts, clientId: string | undefined, at: string): PolicyProblem[] {
  if (clientId === undefined) return [];
  return Object.entries(registrations)
    .filter(([, registration]) => registration.clientId === clientId)
    .map(([name]) => ({
      path: `${at}.clientId`,
      problem: `is the clientId of registrations.${name}; a registration of this service cannot be a caller`,
    }));
}
