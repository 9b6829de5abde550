/**
 * Resolves the `{tenant}` of a URL: a GUID, a domain or one of the shared names (E-8, E-9).
 */
import { TENANT_DOMAIN, TENANT_ID } from "../directory/seed-ids.ts";
import { entraError } from "../errors/entra-error.ts";

export type TenantSegment = "tenant" | "common" | "organizations" | "consumers";

const SHARED: readonly string[] = ["common", "organizations", "consumers"];
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DNS_NAME = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/i;

export function resolveTenantSegment(segment: string): TenantSegment {
  const text = segment.toLowerCase();
  if (text === TENANT_ID || text === TENANT_DOMAIN) return "tenant";
  if (isShared(text)) return text;
  if (!GUID.test(segment) && !DNS_NAME.test(segment)) throw entraError(900023, { tenant: segment });
  throw entraError(90002, { tenant: segment });
}

function isShared(text: string): text is "common" | "organizations" | "consumers" {
  return SHARED.includes(text);
}
