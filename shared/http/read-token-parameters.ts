/**
 * The parts of a wish that several routes read alike: scopes, claims, correlation. Pure.
 */

import { randomUUID } from "node:crypto";
import type { Failure } from "../core/failure.ts";
import { isGuid } from "../core/guid.ts";
import { CLAIMS_MAX_BYTES } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { IncomingRequest } from "./incoming-request.ts";

/** RFC 6749 section 3.3: one space between tokens of these characters. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,512}$/;
const OIDC = ["openid", "profile", "email", "offline_access"];

export interface RequestedScopes {
  /** Without OIDC scopes; undefined when nothing else was asked. */
  readonly scopes: readonly string[] | undefined;
  readonly offlineAccess: boolean;
}

/** A list of scopes, or one text with spaces between them: people write both. */
export function readScopeList(value: unknown, parameter: string): Result<readonly string[] | undefined, Failure> {
  if (value === undefined) return succeed(undefined);
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.every((item) => typeof item === "string")
    ? succeed(items.flatMap((item) => item.split(" ")).filter((scope) => scope !== ""))
    : invalid(parameter);
}

/** A list of scopes. `openid profile email` change nothing here; `offline_access` asks for a grant. */
export function readScopes(asked: readonly string[] | undefined, parameter: string): Result<RequestedScopes, Failure> {
  if (asked?.some((scope) => !SCOPE.test(scope))) {
    return fail({ kind: "request_invalid", problem: "scope_malformed", parameter });
  }
  const scopes = asked?.filter((scope) => !OIDC.includes(scope));
  return succeed({
    scopes: scopes === undefined || scopes.length === 0 ? undefined : scopes,
    offlineAccess: asked?.includes("offline_access") ?? false,
  });
}

/**
 * A claims request (OpenID Connect Core section 5.5), as JSON, parsed or not, or in the base64 of a challenge: an object
 * with `access_token` or `id_token` only. `xms_cc` is taken out: which capabilities the service declares is policy's to
 * say.
 */
export function readClaims(value: unknown, parameter: string): Result<string | undefined, Failure> {
  if (value === undefined) return succeed(undefined);
  const json = typeof value === "string" ? value : JSON.stringify(value);
  const text = json.trimStart().startsWith("{") ? json : Buffer.from(json, "base64").toString("utf8");
  if (Buffer.byteLength(text) > CLAIMS_MAX_BYTES) return invalid(parameter);
  const claims = parseObject(text);
  if (claims === undefined || !Object.keys(claims).every((name) => name === "access_token" || name === "id_token")) {
    return invalid(parameter);
  }
  const members = Object.entries(claims).map(([name, requested]) => [name, withoutCapabilities(requested)] as const);
  return members.every(([, requested]) => requested !== undefined)
    ? succeed(JSON.stringify(Object.fromEntries(members)))
    : invalid(parameter);
}

/** The caller's correlation id when it is a GUID, as Entra demands; else the fallback if that is one; else a new one. */
export function readCorrelationId({ headers }: IncomingRequest, fallback?: string): string {
  for (const name of CORRELATION_HEADERS) {
    const value = headers.get(name);
    if (isGuid(value)) return value.toLowerCase();
  }
  return isGuid(fallback) ? fallback.toLowerCase() : randomUUID();
}

const CORRELATION_HEADERS = ["client-request-id", "x-ms-client-request-id", "x-correlation-id"];

function withoutCapabilities(requested: unknown): Record<string, unknown> | undefined {
  if (typeof requested !== "object" || requested === null || Array.isArray(requested)) return undefined;
  return Object.fromEntries(Object.entries(requested).filter(([name]) => name !== "xms_cc"));
}

function invalid(parameter: string) {
  return fail({ kind: "request_invalid", problem: "parameter_invalid", parameter } as const);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
