/**
 * Compares the consent of a registration with the policy: what is missing, what is surplus, which caller meets which
 * error because of it, and the command that mends it. Pure.
 */
import { GRAPH_APP_ID } from "../../shared/core/graph-resource.ts";
import type { CallerRule } from "../../shared/policy/rules.ts";
import type { Api } from "./api.ts";
import type { CallerEffect, Comparison, ConsentFinding } from "./consent-finding.ts";
import { deleteAt } from "./mending-commands.ts";
import type { Consent, DelegatedConsent } from "./read-consent.ts";
import { APP_ONLY_REGISTRATION, isDelegated, permissionsOf, SIGN_IN_SCOPES } from "./required-permissions.ts";
import { isSame, type ResolvedApi } from "./resolve-permissions.ts";
import { roleFindings } from "./role-findings.ts";

export function consentFindings(comparison: Comparison): ConsentFinding[] {
  const { registration, consent } = comparison;
  const isAppOnly = registration.name === APP_ONLY_REGISTRATION;
  const expected = isAppOnly ? [] : registration.apis;
  const expectedIds = new Set(expected.map(({ appId }) => appId));
  const others = [...consent.apis.values()].filter(({ appId }) => !expectedIds.has(appId));
  return [
    ...expected.flatMap((api) => delegatedFindings(comparison, api)),
    ...others.flatMap((api) => unlistedApi(comparison, api)),
    ...roleFindings(comparison),
  ];
}

// ---------------------------------------------------------------------------------------------------------------

function delegatedFindings(comparison: Comparison, api: ResolvedApi): ConsentFinding[] {
  const { registration, consent } = comparison;
  const same = comparesLikeGraph(api.appId);
  const grants = grantsOf(consent, api.appId);
  const everyone = grants.filter(({ personId }) => personId === undefined);
  const required = api.permissions.map(({ name }) => name);
  const callers = registration.callers.filter((entry) => isDelegated(entry) && Object.hasOwn(entry.apis, api.api));
  const missing = without(
    required,
    everyone.flatMap(({ scopes }) => scopes),
    same,
  ).filter(isNoSignInScope);
  const granted = [...new Set(grants.flatMap(({ scopes }) => scopes))].filter(isNoSignInScope);
  const surplus = without(granted, required, same);
  return [
    ...(missing.length === 0 ? [] : [missingFinding(comparison, { api, everyone, missing, callers, grants })]),
    ...(surplus.length === 0 ? [] : [surplusFinding(comparison, { api, grants, surplus, callers })]),
    ...narrowerCallers(callers, { api, granted: without(granted, surplus, same), same }),
  ];
}

interface Missing {
  readonly api: ResolvedApi;
  readonly everyone: readonly DelegatedConsent[];
  readonly grants: readonly DelegatedConsent[];
  readonly missing: readonly string[];
  readonly callers: readonly CallerRule[];
}

function missingFinding(
  { commands, consent }: Comparison,
  { api, everyone, grants, missing, callers }: Missing,
): ConsentFinding {
  const same = comparesLikeGraph(api.appId);
  const affected = callers.filter((entry) => overlaps(permissionsOf(entry, api.api), missing, same));
  const persons = grants.filter(
    ({ personId, scopes }) => personId !== undefined && without(missing, scopes, same).length === 0,
  ).length;
  const except = persons === 0 ? "every person" : `every person except those who consented themselves (${persons})`;
  return {
    kind: "missing",
    what: `${api.displayName}: ${missing.join(" ")} (delegated, for all persons)`,
    effects: affected.map(({ name }) => ({
      caller: name,
      code: "consent_required",
      text: `consent_required (AADSTS65001) for ${except}`,
    })),
    mend: [commands.consentForEveryone(consent, api, everyone[0])],
  };
}

interface Surplus {
  readonly api: ResolvedApi;
  readonly grants: readonly DelegatedConsent[];
  readonly surplus: readonly string[];
  readonly callers: readonly CallerRule[];
}

/** Scopes that no entry of the registration lists. */
function surplusFinding({ commands, consent }: Comparison, { api, grants, surplus, callers }: Surplus): ConsentFinding {
  const same = comparesLikeGraph(api.appId);
  const wrong = grants.filter(({ scopes }) => overlaps(scopes, surplus, same));
  const persons = wrong.filter(({ personId }) => personId !== undefined).length;
  const isForAll = persons < wrong.length;
  const extent = isForAll ? "for every person" : `for ${persons} ${persons === 1 ? "person" : "persons"}`;
  return {
    kind: "surplus",
    what: `${api.displayName}: ${surplus.join(" ")} (delegated, ${extent})`,
    effects: callers.filter(meetsSurplus).map(({ name }) => surplusEffect(name, extent)),
    mend: wrong.map((grant) =>
      grant.personId === undefined
        ? commands.consentForEveryone(consent, api, grant)
        : commands.replaceScopes(grant, without(grant.scopes, surplus, same)),
    ),
  };
}

interface Narrower {
  readonly api: ResolvedApi;
  /** The consented scopes that some entry of the registration lists. */
  readonly granted: readonly string[];
  readonly same: boolean;
}

/** An entry that lists less than another entry of the same registration: only the policy can mend that. */
function narrowerCallers(callers: readonly CallerRule[], { api, granted, same }: Narrower): ConsentFinding[] {
  return callers.filter(meetsSurplus).flatMap((entry): ConsentFinding[] => {
    const listed = permissionsOf(entry, api.api);
    const surplus = without(granted, listed, same);
    if (surplus.length === 0) return [];
    return [
      {
        kind: "surplus",
        what: `${api.displayName}: ${surplus.join(" ")} (delegated; other entries of the registration list it, ${entry.name} does not)`,
        effects: [surplusEffect(entry.name, "on every call")],
        mend: [
          `In the policy, give ${entry.name} "release": "none" and relay rules (downstream), or a separate registration.`,
        ],
      },
    ];
  });
}

/** Delegated permissions on an API that no entry of the registration names: no caller sees them, a stolen credential does. */
function unlistedApi({ consent, commands }: Comparison, api: Api): ConsentFinding[] {
  const grants = grantsOf(consent, api.appId);
  const scopes = [...new Set(grants.flatMap((grant) => grant.scopes))];
  const isSignIn = scopes.every((name) => !isNoSignInScope(name));
  if (scopes.length === 0 || isSignIn) return [];
  return [
    {
      kind: "surplus",
      what: `${api.displayName}: ${scopes.join(" ")} (delegated; no entry of the registration names this API)`,
      effects: [],
      mend: grants.map(({ id }) => deleteAt(commands, `/v1.0/oauth2PermissionGrants/${id}`)),
    },
  ];
}

function surplusEffect(caller: string, extent: string): CallerEffect {
  return { caller, code: "scope_surplus", text: `500 scope_surplus ${extent}` };
}

/** A token that never leaves the service, or that may have more, is not refused. */
function meetsSurplus({ release, acceptSurplus }: CallerRule): boolean {
  return release !== "none" && !acceptSurplus;
}

function grantsOf({ delegated, apis }: Consent, appId: string): DelegatedConsent[] {
  return delegated.filter(({ resourceId }) => apis.get(resourceId)?.appId === appId);
}

function without(names: readonly string[], others: readonly string[], ignoresCase: boolean): string[] {
  return names.filter((name) => !others.some((other) => isSame(name, other, ignoresCase)));
}

function overlaps(names: readonly string[], others: readonly string[], ignoresCase: boolean): boolean {
  return without(names, others, ignoresCase).length < names.length;
}

function comparesLikeGraph(appId: string): boolean {
  return appId === GRAPH_APP_ID;
}

function isNoSignInScope(name: string): boolean {
  return ![...SIGN_IN_SCOPES, "email"].includes(name);
}
