/**
 * The secret store as the rest of the service uses it: two reads. `key-vault.ts` implements it (loaded lazily, because
 * it imports the SDK); tests pass an object. No SDK import here.
 */
import type { Result } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";

export interface VaultSecret {
  readonly value: SecretValue;
  readonly version: string;
  /** `nbf`, seconds since 1970. The vault returns the secret regardless, so the reader checks it. */
  readonly notBeforeSeconds?: number;
  /** `exp`, seconds since 1970. The vault returns the secret regardless, so the reader checks it. */
  readonly expiresAtSeconds?: number;
  /** `application/x-pkcs12` or `application/x-pem-file` if the secret belongs to a certificate. */
  readonly contentType?: string;
}

/** One entry of the list of versions: no value. */
export interface VaultVersion {
  readonly version: string;
  readonly enabled: boolean;
  readonly createdAtSeconds: number;
  readonly notBeforeSeconds?: number;
  readonly expiresAtSeconds?: number;
}

/** `code` is a code of the vault (`ForbiddenByRbac`) or of Node (`ECONNREFUSED`), at most 64 word characters. */
export type VaultFailure =
  | { readonly kind: "vault_unreachable"; readonly code: string }
  | { readonly kind: "vault_timeout" }
  | { readonly kind: "vault_throttled" }
  /** 401 or 403 that is not about a disabled secret: the service's identity may not read. */
  | { readonly kind: "vault_refused"; readonly code: string }
  /** The managed identity returned no token, so the vault was not called. */
  | { readonly kind: "identity_unavailable" }
  | { readonly kind: "secret_missing" }
  | { readonly kind: "secret_disabled" }
  | { readonly kind: "vault_answer_invalid" };

export interface Vault {
  /** The newest version, or the given one. */
  readSecret(name: string, version?: string): Promise<Result<VaultSecret, VaultFailure>>;
  /** A bounded number of the newest versions, newest first. */
  listVersions(name: string): Promise<Result<readonly VaultVersion[], VaultFailure>>;
}
