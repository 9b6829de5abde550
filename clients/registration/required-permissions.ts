/**
 * The permissions that each app registration needs for a policy, by name: the delegated permissions of the callers of
 * each registration, and the application permissions of the registration for application tokens. Pure.
 */
import { GRAPH_RESOURCES, isGraph } from "../../shared/core/graph-resource.ts";
import type { CallerRule, Policy } from "../../shared/policy/rules.ts";

/** The registration of the settings CLIENT_ID and APP_ONLY_CLIENT_ID. No name in a policy has parentheses. */
export const DEFAULT_REGISTRATION = "(default)";
export const APP_ONLY_REGISTRATION = "(application tokens)";

export interface RequiredApi {
  /** The name of the API in the policy. */
  readonly api: string;
  readonly resource: string;
  readonly kind: "delegated" | "application";
  /** In the order of the policy, each once. */
  readonly permissions: readonly RequiredPermission[];
}

export interface RequiredPermission {
  readonly name: string;
  /** Where the name is written: names of entries. */
  readonly places: readonly string[];
}

export interface RequiredRegistration {
  readonly name: string;
  /** Undefined: the policy does not contain it. */
  readonly clientId: string | undefined;
  readonly apis: readonly RequiredApi[];
  /** The entries that use this registration. */
  readonly callers: readonly CallerRule[];
}

export interface KnownIds {
  /** CLIENT_ID. */
  readonly clientId: string | undefined;
  /** APP_ONLY_CLIENT_ID. */
  readonly appOnlyClientId: string | undefined;
}

/**
 * `appOnly` has the application permissions by API, because the policy names only `.default` for application tokens.
 */
export function requiredRegistrations(
  policy: Policy,
  ids: KnownIds,
  appOnly: Readonly<Record<string, readonly string[]>>,
): RequiredRegistration[] {
  const named = Object.entries(policy.registrations).map(([name, { clientId }]) => ({ name, clientId }));
  const registrations = [{ name: DEFAULT_REGISTRATION, clientId: ids.clientId }, ...named];
  const delegated = registrations.map(({ name, clientId }) => {
    const callers = policy.callers.filter((entry) => registrationOf(entry) === name);
    const forPeople = callers.filter(isDelegated);
    return {
      name,
      clientId,
      callers,
      apis: forPeople.length === 0 ? [] : withSignIn(delegatedApis(policy, forPeople)),
    };
  });
  const applications = policy.callers.filter(usesApplicationTokens);
  if (applications.length === 0 && Object.keys(appOnly).length === 0) return delegated;
  const apis = applicationApis(policy, applications, appOnly);
  return [...delegated, { name: APP_ONLY_REGISTRATION, clientId: ids.appOnlyClientId, callers: applications, apis }];
}

function registrationOf(entry: CallerRule): string {
  return entry.registration ?? DEFAULT_REGISTRATION;
}

/** True if a token of this entry carries the rights of a person. */
export function isDelegated({ flows }: CallerRule): boolean {
  return flows.some((flow) => flow !== "client-credentials");
}

function usesApplicationTokens({ flows }: CallerRule): boolean {
  return flows.includes("client-credentials");
}

/** Microsoft Graph's permissions for signing in and for refresh tokens. Policies do not list them. */
export const SIGN_IN_SCOPES: readonly string[] = ["openid", "profile", "offline_access"];

/** The scopes of an entry that have a permission of their own. `.default` stands for all of them. */
export function permissionsOf(entry: CallerRule, api: string): readonly string[] {
  return (Object.hasOwn(entry.apis, api) ? (entry.apis[api] ?? []) : []).filter((scope) => scope !== ".default");
}

// ---------------------------------------------------------------------------------------------------------------

function delegatedApis(policy: Policy, callers: readonly CallerRule[]): RequiredApi[] {
  return Object.entries(policy.apis).flatMap(([api, { resource }]): RequiredApi[] => {
    const places = new Map<string, string[]>();
    for (const entry of callers) {
      for (const name of permissionsOf(entry, api)) places.set(name, [...(places.get(name) ?? []), entry.name]);
    }
    const permissions = [...places].map(([name, entries]) => ({ name, places: entries }));
    return permissions.length === 0 ? [] : [{ api, resource, kind: "delegated", permissions }];
  });
}

/** Adds the scopes of the sign-in, which MSAL requests with every token of a person. */
function withSignIn(apis: readonly RequiredApi[]): RequiredApi[] {
  const signIn = SIGN_IN_SCOPES.map((name) => ({ name, places: [] }));
  const [graph] = apis.filter(({ resource }) => isGraph(resource));
  if (graph === undefined) {
    const [resource] = GRAPH_RESOURCES.public;
    return [...apis, { api: "graph", resource, kind: "delegated", permissions: signIn }];
  }
  return apis.map((one) => (one === graph ? { ...one, permissions: [...one.permissions, ...signIn] } : one));
}

function applicationApis(
  policy: Policy,
  callers: readonly CallerRule[],
  appOnly: Readonly<Record<string, readonly string[]>>,
): RequiredApi[] {
  return Object.entries(policy.apis).flatMap(([api, { resource }]): RequiredApi[] => {
    const listed = Object.hasOwn(appOnly, api) ? (appOnly[api] ?? []) : [];
    const isUsed = callers.some((entry) => Object.hasOwn(entry.apis, api) && entry.apis[api]?.includes(".default"));
    if (!isUsed && listed.length === 0) return [];
    const permissions = [...new Set(listed)].map((name) => ({ name, places: ["--app-only"] }));
    return [{ api, resource, kind: "application", permissions }];
  });
}
