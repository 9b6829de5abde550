/**
 * Reads what a request is about, without validation. The facts match scripted responses and go into the request log.
 */
import type { Directory } from "../directory/directory.ts";
import { findGrant } from "../grants/grant-types.ts";
import { decodeCompact } from "../keys/compact-jws.ts";
import type { AuthorizationCodes } from "../oauth/authorization-codes.ts";
import type { DeviceCodes } from "../oauth/device-codes.ts";
import { type RefreshTokenTenant, readRefreshToken } from "../oauth/refresh-token.ts";

export interface FactsTenant extends RefreshTokenTenant {
  readonly directory: Directory;
  readonly codes: AuthorizationCodes;
  readonly deviceCodes: DeviceCodes;
}

export const ENDPOINT_NAMES = [
  "discovery",
  "instance",
  "jwks",
  "token",
  "authorize",
  "devicecode",
  "sign-in",
  "vault",
  "blob",
  "event-grid",
  "msi",
  "graph",
  "api",
  "other",
] as const;
export type Endpoint = (typeof ENDPOINT_NAMES)[number];

export interface RequestFacts {
  readonly endpoint: Endpoint;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly authorization?: string;
  /** Graph and the second API: the headers of the request, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Graph: the body as text. */
  readonly body?: string;
  /** Token endpoint: the posted form. */
  readonly form?: Readonly<Record<string, string>>;
  /** Short name: `on-behalf-of`, `refresh_token`, `client_credentials`, `password`, `authorization_code`, `device_code`. */
  readonly grantType?: string;
  /** The client id as sent. */
  readonly client?: string;
  /** The object id of the user, if the request contains one. */
  readonly user?: string;
}

const ENDPOINTS: readonly [Endpoint, RegExp][] = [
  ["instance", /^\/common\/discovery\/instance$/],
  ["jwks", /\/discovery\/(v2\.0\/)?keys$/],
  ["discovery", /\/\.well-known\/openid-configuration$/],
  ["token", /\/oauth2\/(v2\.0\/)?token$/],
  ["authorize", /\/oauth2\/(v2\.0\/)?authorize$/],
  ["devicecode", /\/oauth2\/v2\.0\/devicecode$/],
  ["sign-in", /^\/(devicelogin|[^/]+\/(login|oauth2\/v2\.0\/logout))$/],
  ["vault", /^\/(secrets|deletedsecrets|certificates)(\/|$)/],
  ["blob", /^\/devstoreaccount1\//],
  ["event-grid", /^\/api\/events$/],
  ["msi", /^\/msi\/token$/],
  ["graph", /^\/(v1\.0|beta)\//i],
  ["api", /^\/orders(\/|$)/],
];

/** The log keeps no large uploads. */
const LOGGED_CHARACTERS = 4_096;

export function readRequestFacts(
  tenant: FactsTenant,
  request: {
    method: string;
    url: URL;
    authorization: string | undefined;
    headers: Readonly<Record<string, string>>;
    body: string;
  },
): RequestFacts {
  const { method, url, authorization, headers, body } = request;
  const endpoint = ENDPOINTS.find(([, pattern]) => pattern.test(url.pathname))?.[0] ?? "other";
  const base = {
    endpoint,
    method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    ...(authorization === undefined ? {} : { authorization }),
    ...(endpoint === "graph" || endpoint === "api" ? { headers, body: body.slice(0, LOGGED_CHARACTERS) } : {}),
  };
  if (endpoint === "token") return { ...base, ...formFacts(tenant, new URLSearchParams(body), authorization) };
  const user = bearerUser(authorization);
  return user === undefined ? base : { ...base, user };
}

function formFacts(tenant: FactsTenant, params: URLSearchParams, authorization: string | undefined) {
  const form = Object.fromEntries(params);
  const wireName = form["grant_type"];
  const client = form["client_id"] ?? basicName(authorization);
  const user = formUser(tenant, params);
  return {
    form,
    ...(wireName === undefined ? {} : { grantType: findGrant(wireName)?.name ?? wireName }),
    ...(client === undefined ? {} : { client }),
    ...(user === undefined ? {} : { user }),
  };
}

function formUser(tenant: FactsTenant, params: URLSearchParams): string | undefined {
  const [username, assertion, refresh, code] = ["username", "assertion", "refresh_token", "code"].map((n) =>
    params.get(n),
  );
  if (username) return tenant.directory.user(username)?.oid;
  if (assertion) return oidOf(assertion);
  if (refresh) return readRefreshToken(tenant, refresh)?.userOid;
  if (code) return tenant.codes.find(code)?.userOid;
  const decision = tenant.deviceCodes.byDeviceCode(params.get("device_code") ?? "")?.decision;
  return typeof decision === "object" ? decision.userOid : undefined;
}

function bearerUser(authorization: string | undefined): string | undefined {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  return token === undefined ? undefined : oidOf(token);
}

function oidOf(token: string): string | undefined {
  const oid = decodeCompact(token)?.payload["oid"];
  return typeof oid === "string" ? oid : undefined;
}

function basicName(authorization: string | undefined): string | undefined {
  const basic = /^Basic +(\S+)$/i.exec(authorization ?? "")?.[1];
  return basic === undefined ? undefined : Buffer.from(basic, "base64").toString("utf8").split(":")[0];
}
