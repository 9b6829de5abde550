/**
 * Mints tokens as the tenant issues them and then changes single members.
 */
import type { Registration } from "../directory/directory.ts";
import type { JsonObject } from "../keys/compact-jws.ts";
import type { SigningKey } from "../keys/signing-key.ts";
import { type AccessTokenTenant, buildAccessToken, type ClientAuthKind } from "../oauth/access-token.ts";
import { buildIdToken } from "../oauth/id-token.ts";
import { type MintSigning, type MintTenant, mint } from "./mint.ts";

export interface MintTokenTenant extends AccessTokenTenant, MintTenant {}

export interface TokenOverrides extends MintSigning {
  /** Client by seed name or id. Default: `web` for users, `daemon` for applications. */
  readonly client?: string;
  readonly clientAuth?: ClientAuthKind;
  /** Resource by seed name, id or URI. Default: `service`. */
  readonly resource?: string;
  readonly lifetimeSeconds?: number;
  /** Declared client capabilities, e.g. `["cp1"]`. */
  readonly capabilities?: readonly string[];
  /** Header members to set. `undefined` deletes a member. */
  readonly header?: Readonly<JsonObject>;
  /** Claims to set. `undefined` deletes a claim. */
  readonly claims?: Readonly<JsonObject>;
  /** Claims and header members to delete, for callers that send JSON and therefore cannot send `undefined`. */
  readonly without?: readonly string[];
}

export interface UserTokenOverrides extends TokenOverrides {
  /** By seed name, user name or object id. Default: `alice`. */
  readonly user?: string;
  /** Default: all scopes consented for that client and resource. */
  readonly scopes?: readonly string[];
  /** Demands that the sign-in satisfied, as `capolids:…` or `acrs:…`. */
  readonly satisfied?: readonly string[];
}

export function mintUserToken(tenant: MintTokenTenant, overrides: UserTokenOverrides = {}): string {
  const { client, resource, common } = readOverrides(tenant, overrides, "web");
  const user = orThrow(tenant.directory.user(overrides.user ?? "alice"), "user", overrides.user);
  const consented = tenant.directory.consentedScopes(client.clientId, resource.clientId, user.oid);
  const scopes = overrides.scopes ?? consented.filter((name) => name !== "offline_access");
  const key = keyFor(tenant, overrides, resource);
  const built = buildAccessToken(tenant, { ...common, user, scopes, satisfied: overrides.satisfied ?? [] }, key);
  return mint(tenant, { ...overrides, key: key.kid, ...changed(built, overrides) });
}

export function mintAppToken(tenant: MintTokenTenant, overrides: TokenOverrides = {}): string {
  const { common, resource } = readOverrides(tenant, overrides, "daemon");
  const key = keyFor(tenant, overrides, resource);
  const built = buildAccessToken(tenant, { ...common, satisfied: [] }, key);
  return mint(tenant, { ...overrides, key: key.kid, ...changed(built, overrides) });
}

/** Mints an ID token. Its audience is the client. TK-6 uses `client: "service"`. */
export function mintIdToken(tenant: MintTokenTenant, overrides: UserTokenOverrides = {}): string {
  const { client } = readOverrides(tenant, overrides, "web");
  const user = orThrow(tenant.directory.user(overrides.user ?? "alice"), "user", overrides.user);
  const key = tenant.keys.choose(overrides.key ?? "active");
  const built = buildIdToken(tenant, { client, user, oidc: new Set(["openid", "profile"]), nonce: "local" }, key);
  return mint(tenant, { ...overrides, ...changed(built, overrides) });
}

/** The chosen key, or the one that Entra would sign a token for this resource with. */
function keyFor({ keys }: MintTokenTenant, { key }: TokenOverrides, resource: Registration): SigningKey {
  return key === undefined ? keys.signerFor(resource.clientId) : keys.choose(key);
}

function readOverrides(tenant: MintTokenTenant, overrides: TokenOverrides, defaultClient: string) {
  const client = orThrow(tenant.directory.registration(overrides.client ?? defaultClient), "client", overrides.client);
  const resource = findResourceByAnyName(tenant, overrides.resource ?? "service");
  const common = {
    client,
    resource,
    audience: resource.appIdUris[0] ?? resource.clientId,
    clientAuth: overrides.clientAuth ?? (client.publicClient ? "0" : "1"),
    capabilities: overrides.capabilities ?? [],
    lifetimeSeconds: overrides.lifetimeSeconds ?? 3_600,
  } as const;
  return { client, resource, common };
}

function findResourceByAnyName(tenant: MintTokenTenant, name: string): Registration {
  return orThrow(tenant.directory.registration(name) ?? tenant.directory.resource(name), "resource", name);
}

function changed(built: { header: JsonObject; payload: JsonObject }, overrides: TokenOverrides) {
  const algorithm = overrides.sign === undefined ? {} : { alg: overrides.sign };
  return {
    header: withChanges({ ...built.header, ...algorithm }, overrides.header, overrides.without),
    payload: withChanges(built.payload, overrides.claims, overrides.without),
  };
}

/** JSON.stringify omits members that are `undefined`. */
function withChanges(
  from: JsonObject,
  changes: Readonly<JsonObject> = {},
  without: readonly string[] = [],
): JsonObject {
  const deleted = Object.fromEntries(without.map((name) => [name, undefined]));
  return { ...from, ...changes, ...deleted };
}

function orThrow<T>(value: T | undefined, what: string, name = ""): T {
  if (value === undefined) throw new TypeError(`the local tenant has no ${what} ${name}`);
  return value;
}
