/**
 * The answers of Key Vault: bundles (KV-11), lists (KV-12) and errors (KV-2, KV-21 to KV-24).
 */
import type { Issuer } from "../oauth/issuers.ts";
import type { SecretVersion } from "./vault.ts";

export interface VaultAnswer {
  status: number;
  body: object;
  headers?: Readonly<Record<string, string>>;
}

export function vaultError(status: number, code: string, message: string, innerCode?: string): VaultAnswer {
  const innererror = innerCode === undefined ? {} : { innererror: { code: innerCode } };
  return { status, body: { error: { code, message, ...innererror } } };
}

/** Every 401 names the tenant and the resource for the token request (KV-2). */
export function vaultChallenge(tenant: Issuer, message: string): VaultAnswer {
  const challenge = `Bearer authorization="${tenant.url}/${tenant.tenantId}", resource="https://vault.azure.net"`;
  return { ...vaultError(401, "Unauthorized", message), headers: { "WWW-Authenticate": challenge } };
}

export function secretNotFound(name: string): VaultAnswer {
  const text = `A secret with (name/id) ${name} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`;
  return vaultError(404, "SecretNotFound", text);
}

export function secretBundle(tenant: Issuer, name: string, version: SecretVersion): object {
  return { value: version.value, ...secretItem(tenant, name, version) };
}

/** A bundle without its value. */
export function secretItem(tenant: Issuer, name: string, version: SecretVersion, withVersion = true): object {
  const { contentType, tags, enabled, notBefore, expires, created, updated } = version;
  const attributes = {
    enabled,
    ...(notBefore === undefined ? {} : { nbf: notBefore }),
    ...(expires === undefined ? {} : { exp: expires }),
    created,
    updated,
    recoveryLevel: "Recoverable+Purgeable",
    recoverableDays: 90,
  };
  return {
    ...(contentType === undefined ? {} : { contentType }),
    id: `${tenant.url}/secrets/${name}${withVersion ? `/${version.version}` : ""}`,
    attributes,
    tags: tags ?? {},
  };
}
