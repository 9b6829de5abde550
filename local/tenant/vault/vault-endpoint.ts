/**
 * Key Vault's REST API for secrets (https://learn.microsoft.com/rest/api/keyvault/secrets): get, versions, list, set,
 * update, delete.
 */
import { randomUUID } from "node:crypto";
import { asRecord } from "../http/json-object.ts";
import type { SecretInput, SecretVersion } from "./vault.ts";
import { refuseVaultCaller, type VaultTenant } from "./vault-access.ts";
import { secretBundle, secretItem, secretNotFound, type VaultAnswer, vaultError } from "./vault-answer.ts";

export interface VaultRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  authorization: string | undefined;
  clientRequestId: string | undefined;
  body: string;
}

const NAME = /^[0-9a-zA-Z-]{1,127}$/;
/** The limit of Key Vault (KV-13). */
const LARGEST_VALUE_BYTES = 25 * 1024;

export function answerVaultRequest(tenant: VaultTenant, request: VaultRequest): VaultAnswer {
  const answer = refuseRequest(tenant, request) ?? route(tenant, request);
  const headers = { ...vaultHeaders(request.clientRequestId), ...answer.headers };
  return { ...answer, headers };
}

/** The headers of every answer (KV-14). */
export function vaultHeaders(clientRequestId: string | undefined): Record<string, string> {
  return {
    "Cache-Control": "no-cache",
    Pragma: "no-cache",
    Expires: "-1",
    "x-ms-keyvault-region": "local",
    "x-ms-keyvault-service-version": "1.9.2400.1",
    "x-ms-request-id": randomUUID(),
    "x-ms-client-request-id": clientRequestId ?? randomUUID(),
  };
}

function refuseRequest(tenant: VaultTenant, request: VaultRequest): VaultAnswer | undefined {
  const operation = operationOf(request);
  const refused = refuseVaultCaller(tenant, request.authorization, operation);
  if (refused !== undefined) return refused;
  if (request.query.has("api-version")) return undefined;
  return vaultError(400, "BadParameter", "api-version must be specified");
}

function operationOf({ method }: VaultRequest): { name: string; writes: boolean } {
  if (method === "GET") return { name: "getSecret/action", writes: false };
  return { name: method === "DELETE" ? "delete" : "setSecret/action", writes: true };
}

function route(tenant: VaultTenant, request: VaultRequest): VaultAnswer {
  const [area, name, version] = request.path.split("/").filter((part) => part !== "");
  if (area !== "secrets") return vaultError(404, "NotFound", "The requested resource was not found.");
  if (name === undefined) return listSecrets(tenant);
  if (!NAME.test(name)) return vaultError(400, "BadParameter", `The request URI contains an invalid name: ${name}`);
  switch (request.method) {
    case "GET":
      return version === "versions" ? listVersions(tenant, name, request.query) : getSecret(tenant, name, version);
    case "PUT":
      return setSecret(tenant, name, request.body);
    case "PATCH":
      return updateSecret(tenant, name, version, request.body);
    case "DELETE":
      return deleteSecret(tenant, name);
    default:
      return vaultError(405, "MethodNotAllowed", "The method is not allowed.");
  }
}

/** Returns an expired or not yet valid secret too. Only a disabled secret is refused (KV-20). */
function getSecret(tenant: VaultTenant, name: string, version: string | undefined): VaultAnswer {
  const found = findVersion(tenant, name, version);
  if (found === undefined) return secretNotFound(version === undefined ? name : `${name}/${version}`);
  if (!found.enabled) {
    return vaultError(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled");
  }
  return { status: 200, body: secretBundle(tenant, name, found) };
}

function listSecrets(tenant: VaultTenant): VaultAnswer {
  const value = tenant.vault.names().flatMap((name) => {
    const latest = tenant.vault.latest(name);
    return latest === undefined ? [] : secretItem(tenant, name, latest, false);
  });
  return { status: 200, body: { value, nextLink: null } };
}

function listVersions(tenant: VaultTenant, name: string, query: URLSearchParams): VaultAnswer {
  const versions = tenant.vault.versions(name);
  if (versions === undefined) return secretNotFound(name);
  const size = Math.min(Math.max(Number(query.get("maxresults") ?? 25) || 25, 1), 25);
  const from = Number(query.get("$skiptoken") ?? 0) || 0;
  const value = versions.slice(from, from + size).map((version) => secretItem(tenant, name, version));
  const next = new URLSearchParams({ "api-version": query.get("api-version") ?? "", maxresults: String(size) });
  next.set("$skiptoken", String(from + size));
  const more = from + size < versions.length;
  const nextLink = more ? `${tenant.url}/secrets/${name}/versions?${next}` : null;
  return { status: 200, body: { value, nextLink } };
}

function setSecret(tenant: VaultTenant, name: string, body: string): VaultAnswer {
  if (tenant.vault.isDeleted(name)) {
    const text = `Secret ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.`;
    return vaultError(409, "Conflict", text, "ObjectIsDeletedButRecoverable");
  }
  const input = readSecretBody(body);
  if (typeof input.value !== "string" || Buffer.byteLength(input.value) > LARGEST_VALUE_BYTES) {
    return vaultError(400, "BadParameter", "Property value has invalid value");
  }
  const stored = tenant.vault.set(name, { ...input, value: input.value });
  return { status: 200, body: secretBundle(tenant, name, stored) };
}

function updateSecret(tenant: VaultTenant, name: string, version: string | undefined, body: string): VaultAnswer {
  const found = findVersion(tenant, name, version);
  if (found === undefined) return secretNotFound(name);
  const { value: _value, ...changes } = readSecretBody(body);
  Object.assign(found, changes, { updated: tenant.clock.nowSeconds() });
  return { status: 200, body: secretItem(tenant, name, found) };
}

function deleteSecret(tenant: VaultTenant, name: string): VaultAnswer {
  const latest = tenant.vault.latest(name);
  if (latest === undefined) return secretNotFound(name);
  tenant.vault.delete(name);
  const deletedDate = tenant.clock.nowSeconds();
  const recovery = { recoveryId: `${tenant.url}/deletedsecrets/${name}`, deletedDate };
  return { status: 200, body: { ...recovery, ...secretItem(tenant, name, latest) } };
}

function findVersion(tenant: VaultTenant, name: string, version: string | undefined): SecretVersion | undefined {
  if (version === undefined) return tenant.vault.latest(name);
  return tenant.vault.versions(name)?.find((one) => one.version === version);
}

/** Converts the wire names to those of this file. Members of the wrong type count as absent. */
function readSecretBody(body: string): Partial<SecretInput> {
  const sent = asRecord(parseJson(body));
  const attributes = asRecord(sent["attributes"]);
  const { value, contentType, tags } = sent;
  const { enabled, nbf, exp } = attributes;
  return {
    ...(typeof value === "string" ? { value } : {}),
    ...(typeof contentType === "string" ? { contentType } : {}),
    ...(typeof tags === "object" && tags !== null ? { tags: { ...tags } } : {}),
    ...(typeof enabled === "boolean" ? { enabled } : {}),
    ...(typeof nbf === "number" ? { notBefore: nbf } : {}),
    ...(typeof exp === "number" ? { expires: exp } : {}),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
