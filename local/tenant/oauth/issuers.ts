/**
 * The tenant's name as the issuer of tokens: v2.0, and v1.0 with a trailing slash (E-6, E-30).
 */
export interface Issuer {
  /** The tenant's origin: `https://localhost:PORT`. */
  readonly url: string;
  readonly tenantId: string;
}

export function v2Issuer({ url, tenantId }: Issuer): string {
  return `${url}/${tenantId}/v2.0`;
}

export function v1Issuer({ url, tenantId }: Issuer): string {
  return `${url}/${tenantId}/`;
}
