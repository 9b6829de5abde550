/**
 * Validates the bearer token of a request as a Microsoft resource (Key Vault, Graph) does. Each resource turns the finding
 * into its own error.
 */
import { decodeCompact, type JsonObject, verifyRs256 } from "../keys/compact-jws.ts";
import type { KeyRing } from "../keys/key-ring.ts";
import type { Clock } from "../time/clock.ts";
import { type Issuer, v1Issuer, v2Issuer } from "./issuers.ts";

export interface BearerTenant extends Issuer {
  readonly clock: Clock;
  readonly keys: KeyRing;
}

export type BearerFinding =
  | { kind: "valid"; claims: JsonObject }
  | { kind: "missing" | "malformed" | "unknown-key" | "bad-signature" | "expired"; claims?: undefined }
  | { kind: "wrong-issuer" | "wrong-audience"; claims: JsonObject };

export function readBearer(
  tenant: BearerTenant,
  authorization: string | undefined,
  audiences: readonly string[],
): BearerFinding {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) return { kind: "missing" };
  const jws = decodeCompact(token);
  if (jws === undefined) return { kind: "malformed" };
  const key = tenant.keys.find(String(jws.header["kid"]));
  if (key === undefined || !tenant.keys.signsForTenant(key)) return { kind: "unknown-key" };
  if (!verifyRs256(jws, key.publicKey)) return { kind: "bad-signature" };
  const { aud, iss, exp } = jws.payload;
  if (iss !== v1Issuer(tenant) && iss !== v2Issuer(tenant)) return { kind: "wrong-issuer", claims: jws.payload };
  if (typeof aud !== "string" || !audiences.includes(aud)) return { kind: "wrong-audience", claims: jws.payload };
  if (typeof exp !== "number" || exp <= tenant.clock.nowSeconds()) return { kind: "expired" };
  return { kind: "valid", claims: jws.payload };
}

/** The scopes of the space-separated `scp`. */
export function scopesOf(claims: JsonObject): string[] {
  return typeof claims["scp"] === "string" ? claims["scp"].split(" ") : [];
}

export function rolesOf(claims: JsonObject): string[] {
  return Array.isArray(claims["roles"]) ? claims["roles"].filter((role) => typeof role === "string") : [];
}
