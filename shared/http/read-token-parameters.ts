/**
 * Reads the parameters of the requested token. Forms share `readTokenParameters`; JSON bodies and queries use the
 * readers of scopes and claims. Also the correlation id.
 */

import { randomUUID } from "node:crypto";
import type { TokenParameters } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { isGuid } from "../core/guid.ts";
import { isJsonObject, type JsonObject } from "../core/json-object.ts";
import { parseJson } from "../core/json-text.ts";
import { CLAIMS_MAX_BYTES } from "../core/limits.ts";
import { type Result, succeed } from "../core/result.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest } from "./invalid-request.ts";
import { type Parameters, singleValue } from "./read-body.ts";

/** RFC 6749 section 3.3: the characters of one scope. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,512}$/;
const OIDC_SCOPES = ["openid", "profile", "email", "offline_access"];
const CORRELATION_HEADERS = ["client-request-id", "x-ms-client-request-id", "x-correlation-id"];

export interface RequestedScopes {
  /** Without OIDC scopes. Undefined: no other scope is requested. */
  readonly scopes: readonly string[] | undefined;
  readonly offlineAccess: boolean;
}

/** The token parameters of a form: a token request or a pushed authorization request. */
export function readTokenParameters(form: Parameters): Result<TokenParameters, Failure> {
  const scope = singleValue(form, "scope");
  const scopes = readScopes(scope === undefined ? undefined : splitScopes(scope), "scope");
  if (!scopes.ok) return scopes;
  const claims = readClaims(singleValue(form, "claims"), "claims");
  if (!claims.ok) return claims;
  return succeed({
    audiences: form.get("audience") ?? [],
    resources: form.get("resource") ?? [],
    ...scopes.value,
    claims: claims.value,
    forceRefresh: false,
    minimumSeconds: 0,
  });
}

/** Scopes in JSON or in a query: a list, or one string with spaces between the scopes. */
export function readScopeList(value: unknown, parameter: string): Result<RequestedScopes, Failure> {
  if (value === undefined) return readScopes(undefined, parameter);
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.every((item) => typeof item === "string")
    ? readScopes(items.flatMap(splitScopes), parameter)
    : invalidRequest("parameter_invalid", parameter);
}

/**
 * Checks scopes and separates OIDC scopes: `openid profile email` have no effect, `offline_access` requests a grant.
 */
export function readScopes(
  requested: readonly string[] | undefined,
  parameter: string,
): Result<RequestedScopes, Failure> {
  if (requested?.some((scope) => !SCOPE.test(scope))) return invalidRequest("scope_malformed", parameter);
  const scopes = requested?.filter((scope) => !OIDC_SCOPES.includes(scope));
  return succeed({
    scopes: scopes === undefined || scopes.length === 0 ? undefined : scopes,
    offlineAccess: requested?.includes("offline_access") ?? false,
  });
}

/**
 * A claims request (OpenID Connect Core section 5.5): a JSON object, JSON text, or the base64 of a challenge. It may
 * contain only `access_token` and `id_token`. `xms_cc` is removed in any spelling, because policy decides which capabilities the
 * service declares.
 */
export function readClaims(value: unknown, parameter: string): Result<string | undefined, Failure> {
  if (value === undefined) return succeed(undefined);
  const json = typeof value === "string" ? value : JSON.stringify(value);
  const text = json.trimStart().startsWith("{") ? json : Buffer.from(json, "base64").toString("utf8");
  if (Buffer.byteLength(text) > CLAIMS_MAX_BYTES) return invalidRequest("parameter_invalid", parameter);
  const claims = parseJson(text);
  if (!isJsonObject(claims) || !Object.keys(claims).every((name) => name === "access_token" || name === "id_token")) {
    return invalidRequest("parameter_invalid", parameter);
  }
  const members = Object.entries(claims).map(([name, requested]) => [name, withoutCapabilities(requested)] as const);
  return members.every(([, requested]) => requested !== undefined)
    ? succeed(JSON.stringify(Object.fromEntries(members)))
    : invalidRequest("parameter_invalid", parameter);
}

/**
 * The caller's correlation id if it is a GUID, which Entra requires. Otherwise `fallback` if it is a GUID, or a new
 * one.
 */
export function readCorrelationId({ headers }: IncomingRequest, fallback?: string): string {
  for (const name of CORRELATION_HEADERS) {
    const value = headers.get(name);
    if (isGuid(value)) return value.toLowerCase();
  }
  return isGuid(fallback) ? fallback.toLowerCase() : randomUUID();
}

// ------------------------------------------------------------------------------------------------------------------

function splitScopes(text: string): string[] {
  return text.split(" ").filter((scope) => scope !== "");
}

function withoutCapabilities(requested: unknown): JsonObject | undefined {
  if (!isJsonObject(requested)) return undefined;
  return Object.fromEntries(Object.entries(requested).filter(([name]) => name.toLowerCase() !== "xms_cc"));
}
