/**
 * What the vault holds when the tenant starts, each secret as version 1: the credentials of the service's
 * registrations, the keys that seal grants and cached tokens, and the secret that signs events.
 */
import { randomBytes } from "node:crypto";
import type { Directory } from "../directory/directory.ts";
import { VAULT_SECRET_NAMES } from "../directory/seed-ids.ts";
import type { Vault } from "./vault.ts";

export function fillVault(vault: Vault, directory: Directory): void {
  const secretOf = (name: string) => directory.registration(name)?.secrets[0]?.value ?? "";
  vault.set(VAULT_SECRET_NAMES.clientSecret, { value: secretOf("service") });
  vault.set(VAULT_SECRET_NAMES.narrowClientSecret, { value: secretOf("narrow") });
  vault.set(VAULT_SECRET_NAMES.appOnlyClientSecret, { value: secretOf("appOnly") });
  vault.set(VAULT_SECRET_NAMES.sealingKey, { value: randomBytes(32).toString("base64") });
  vault.set(VAULT_SECRET_NAMES.eventWebhookSecret, { value: `whsec_${randomBytes(32).toString("base64")}` });
  vault.set(VAULT_SECRET_NAMES.cacheKey, { value: randomBytes(32).toString("base64") });
}
