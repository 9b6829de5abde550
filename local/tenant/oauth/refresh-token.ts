/**
 * Refresh tokens: opaque, bound to user and client, reusable, valid for every consented resource (E-90, E-91).
 */
import { EntraError } from "../errors/entra-error.ts";
import type { Sealer } from "../keys/sealer.ts";

export interface RefreshTokenTenant {
  readonly sealer: Sealer;
}

export interface RefreshTokenRecord {
  readonly userOid: string;
  readonly clientId: string;
  readonly issuedAtMs: number;
  readonly scope: string;
  readonly satisfied: readonly string[];
}

export const INACTIVITY_MS = 90 * 24 * 3_600_000;
const PREFIX = "1.AX";

export function sealRefreshToken(tenant: RefreshTokenTenant, record: RefreshTokenRecord): string {
  return `${PREFIX}${tenant.sealer.seal({ kind: "refresh", ...record })}`;
}

export function requireRefreshToken(tenant: RefreshTokenTenant, text: string): RefreshTokenRecord {
  const record = readRefreshToken(tenant, text);
  if (record === undefined) throw new EntraError(9002313);
  return record;
}

/** Like `requireRefreshToken`, but returns undefined for an invalid token. The request log uses it. */
export function readRefreshToken(tenant: RefreshTokenTenant, text: string): RefreshTokenRecord | undefined {
  const unsealed = text.startsWith(PREFIX) ? tenant.sealer.unseal(text.slice(PREFIX.length)) : undefined;
  return isRefreshRecord(unsealed) ? unsealed : undefined;
}

function isRefreshRecord(value: unknown): value is RefreshTokenRecord {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "refresh";
}
