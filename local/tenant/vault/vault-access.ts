/**
 * Access control of the vault. It accepts only v1 tokens for the vault and checks them as Key Vault does (KV-2 to KV-4,
 * KV-23).
 */
import { CLIENT_IDS, RESOURCE_URIS } from "../directory/seed-ids.ts";
import { type BearerTenant, readBearer } from "../oauth/bearer.ts";
import { v1Issuer } from "../oauth/issuers.ts";
import type { Vault } from "./vault.ts";
import { type VaultAnswer, vaultChallenge, vaultError } from "./vault-answer.ts";

export interface VaultTenant extends BearerTenant {
  readonly vault: Vault;
}

/** The URI without a trailing slash, or the application id (KV-3). */
const AUDIENCES = [RESOURCE_URIS.vault, CLIENT_IDS.vault];

/** Returns the refusal, or undefined if the caller is allowed. */
export function refuseVaultCaller(
  tenant: VaultTenant,
  authorization: string | undefined,
  operation: { name: string; writes: boolean },
): VaultAnswer | undefined {
  const finding = readBearer(tenant, authorization, AUDIENCES);
  switch (finding.kind) {
    case "missing":
      return vaultChallenge(tenant, "AKV10000: Request is missing a Bearer or PoP token.");
    case "malformed":
      return vaultChallenge(tenant, "AKV10001: Token is not a valid JWT.");
    case "unknown-key":
      return vaultChallenge(tenant, "AKV10046: Unable to resolve the key used for signature validation.");
    case "bad-signature":
      return vaultChallenge(tenant, "AKV10047: Token signature validation failed.");
    case "expired":
      return vaultChallenge(tenant, "AKV10012: Token has expired.");
    case "wrong-issuer": {
      const found = String(finding.claims["iss"]);
      return vaultChallenge(tenant, `AKV10032: Invalid issuer. Expected one of ${v1Issuer(tenant)}, found ${found}.`);
    }
    case "wrong-audience": {
      const found = String(finding.claims["aud"]);
      return vaultChallenge(tenant, `AKV10022: Invalid audience. Expected ${RESOURCE_URIS.vault}, found: ${found}.`);
    }
    case "valid":
      return refuseRole(tenant, String(finding.claims["oid"]), operation);
  }
}

function refuseRole(
  tenant: VaultTenant,
  oid: string,
  operation: { name: string; writes: boolean },
): VaultAnswer | undefined {
  const role = tenant.vault.role(oid);
  if (role === "officer" || (role === "user" && !operation.writes)) return undefined;
  const inner = role === "user" ? "ForbiddenByRbac" : role;
  const text = `Caller is not authorized to perform action on resource. Action: 'Microsoft.KeyVault/vaults/secrets/${operation.name}'. Caller: oid=${oid}.`;
  return vaultError(403, "Forbidden", text, inner);
}
