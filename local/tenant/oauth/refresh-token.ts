/**
 * Refresh tokens: opaque, bound to person and client, good for any consented resource, reusable (E-90, E-91).
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

export function openRefreshToken(tenant: RefreshTokenTenant, text: string): RefreshTokenRecord {
  const record = readRefreshToken(tenant, text);
  if (record === undefined) throw new EntraError(9002313);
  return record;
}

/** As `openRefreshToken`, without an opinion: used to see whose request it is. */
export function readRefreshToken(tenant: RefreshTokenTenant, text: string): RefreshTokenRecord | undefined {
  const opened = text.startsWith(PREFIX) ? tenant.sealer.open(text.slice(PREFIX.length)) : undefined;
  return isRefreshRecord(opened) ? opened : undefined;
}

function isRefreshRecord(value: unknown): value is RefreshTokenRecord {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "refresh";
}
