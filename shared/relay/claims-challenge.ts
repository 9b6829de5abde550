/**
 * The claims that an API demands in a 401 response: the attribute `claims` of its challenge, in base64.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
import { readClaims } from "../http/read-token-parameters.ts";

/** The claims request as JSON text. Undefined: no challenge, or one that the service does not send to Entra. */
export function challengedClaims(wwwAuthenticate: string | undefined): string | undefined {
  const [, value] = /(?:^|[\s,])claims="([^"]{1,8192})"/i.exec(wwwAuthenticate ?? "") ?? [];
  const claims = readClaims(value, "claims");
  return claims.ok ? claims.value : undefined;
}
