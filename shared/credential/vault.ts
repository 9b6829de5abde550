/**
 * The secret store as the rest of the service sees it: two reads. `key-vault.ts` is the real one (loaded lazily, it
 * brings the SDK); tests give a literal. No SDK import here.
 */
import type { Result } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";

export interface VaultSecret {
  readonly value: SecretValue;
  readonly version: string;
  /** `nbf`, seconds since 1970. The vault returns the secret all the same: checking is ours. */
  readonly notBeforeSeconds?: number;
  /** `exp`, seconds since 1970. The vault returns the secret all the same: checking is ours. */
  readonly expiresAtSeconds?: number;
  /** `application/x-pkcs12` or `application/x-pem-file` where a certificate stands behind it. */
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
  /** 401 or 403 that is not a disabled secret: our identity may not read. */
  | { readonly kind: "vault_refused"; readonly code: string }
  /** The managed identity gave no token, so the vault was never asked. */
  | { readonly kind: "identity_unavailable" }
  | { readonly kind: "secret_missing" }
  | { readonly kind: "secret_disabled" }
  | { readonly kind: "vault_answer_invalid" };

export interface Vault {
  /** The newest version, or the one named. */
  readSecret(name: string, version?: string): Promise<Result<VaultSecret, VaultFailure>>;
  /** The newest versions, newest first, a bounded number of them. */
  listVersions(name: string): Promise<Result<readonly VaultVersion[], VaultFailure>>;
}
