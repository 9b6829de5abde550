/**
 * Parses scope strings into the resource and its permissions, and decides which scopes are granted. Entra does not
 * downscope: a token carries all scopes that are consented for the application, user and resource (E-46).
 */
import type { Directory, Registration } from "../directory/directory.ts";
import { CLIENT_IDS, RESOURCE_URIS } from "../directory/seed-ids.ts";
import { entraError } from "../errors/entra-error.ts";

export interface ScopeTenant {
  readonly tenantId: string;
  readonly directory: Directory;
}

export interface ScopeRequest {
  /** The requested ones of `openid profile email offline_access`. */
  readonly oidc: ReadonlySet<string>;
  readonly resource: Registration;
  /** The name of the resource in the request, which is the `aud` of a v1 token (E-31). */
  readonly audience: string;
  /** Permission names without the resource. `.default` stands for all consented scopes. */
  readonly names: readonly string[];
  /** True if the request named the scopes with the resource in front. The answer then does the same. */
  readonly prefixed: boolean;
  readonly text: string;
}

/** One request per resource. The first is the resource of the token. */
export type ScopeRequests = readonly [ScopeRequest, ...ScopeRequest[]];

const OIDC = new Set(["openid", "profile", "email", "offline_access"]);
const DEFAULT = ".default";
/** RFC 6749 section 3.3 scope-token characters. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Parses the scopes of a token request: for one resource, or for the first of several (E-93). */
export function parseScopes(tenant: ScopeTenant, text: string, several: "refuse" | "first"): ScopeRequest {
  const [first, ...others] = parseAllScopes(tenant, text);
  if (others.length > 0 && several === "refuse") throw entraError(28000, { scope: text });
  return first;
}

/**
 * Parses the scopes of an authorization request, which may request consent for several resources. Their order is kept.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#request-an-authorization-code
 */
export function parseAllScopes(tenant: ScopeTenant, text: string): ScopeRequests {
  const requested = text.split(" ").filter((part) => part !== "");
  if (requested.length === 0 || !requested.every((part) => SCOPE_TOKEN.test(part))) {
    throw entraError(70011, { scope: text });
  }
  const oidc = new Set(requested.filter((part) => OIDC.has(part)));
  const permissions = requested.filter((part) => !OIDC.has(part)).map(splitScope);
  const [first, ...others] = new Set(permissions.map((one) => findResource(tenant, one.prefix)));
  const request = (resource: Registration) => {
    const own = permissions.filter((one) => findResource(tenant, one.prefix) === resource);
    return toRequest(resource, { own, oidc, text });
  };
  return [request(first ?? findResource(tenant, undefined)), ...others.map(request)];
}

type Permission = ReturnType<typeof splitScope>;

function toRequest(
  resource: Registration,
  { own, oidc, text }: { own: readonly Permission[]; oidc: ReadonlySet<string>; text: string },
): ScopeRequest {
  const names = own.map((one) => canonicalName(resource, one.name));
  if (names.includes(DEFAULT) && names.length > 1) throw entraError(70011, { scope: text });
  const unknown = names.find((name) => name !== DEFAULT && !resource.scopes.includes(name));
  if (unknown !== undefined) throw entraError(70011, { scope: unknown });
  const prefix = own[0]?.prefix;
  return { oidc, resource, audience: prefix ?? RESOURCE_URIS.graph, names, prefixed: prefix !== undefined, text };
}

/** Entra compares the scopes of Graph without case and returns them in their own (E-51). */
function canonicalName({ clientId, scopes }: Registration, name: string): string {
  if (clientId !== CLIENT_IDS.graph) return name;
  return scopes.find((scope) => scope.toLowerCase() === name.toLowerCase()) ?? name;
}

/** All scopes consented for this user, if they include the requested scopes. Otherwise it throws 65001. */
export function grantScopes(
  tenant: ScopeTenant,
  client: Registration,
  userOid: string,
  request: ScopeRequest,
): string[] {
  const consented = tenant.directory.consentedScopes(client.clientId, request.resource.clientId, userOid);
  const allowed = request.names.every((name) => name === DEFAULT || consented.includes(name));
  const candidates = consented.length === 0 && request.names.length === 0 ? [...request.oidc] : consented;
  const granted = shuffled(candidates.filter((name) => name !== "offline_access"));
  if (!allowed || (granted.length === 0 && request.names.length > 0)) {
    throw entraError(65001, { app: client.clientId, name: client.displayName });
  }
  return granted;
}

/** The `scope` member of the answer. */
export function toScopeText(granted: readonly string[], request: ScopeRequest): string {
  if (!request.prefixed) return granted.join(" ");
  const prefix = request.audience.endsWith("/") ? request.audience : `${request.audience}/`;
  return granted.map((name) => (OIDC.has(name) ? name : `${prefix}${name}`)).join(" ");
}

/** Parses `{resource}/.default`. For an application every other scope is 1002012. */
export function parseDefaultScope(tenant: ScopeTenant, text: string): { resource: Registration; audience: string } {
  const suffix = `/${DEFAULT}`;
  if (!text.endsWith(suffix) || text.includes(" ")) throw entraError(1002012, { scope: text });
  const audience = text.slice(0, -suffix.length);
  return { resource: findResource(tenant, audience), audience };
}

function splitScope(scope: string): { prefix: string | undefined; name: string } {
  const slash = scope.lastIndexOf("/");
  return slash < 0
    ? { prefix: undefined, name: scope }
    : { prefix: scope.slice(0, slash), name: scope.slice(slash + 1) };
}

function findResource(tenant: ScopeTenant, prefix: string | undefined): Registration {
  const found = tenant.directory.resource(prefix ?? CLIENT_IDS.graph);
  if (found === undefined) throw entraError(500011, { resource: prefix ?? "", tenant: tenant.tenantId });
  return found;
}

/** Entra does not keep a stable order (E-46). */
function shuffled(names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ name }) => name);
}
