import type { Result } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";

/** The credential that authenticates the service to Entra: a secret, a certificate, or an assertion. */
export type ClientCredential =
  | { readonly kind: "secret"; readonly value: SecretValue; readonly version: string }
  | {
      readonly kind: "certificate";
      /** Private key, PEM PKCS #8. */
      readonly privateKey: SecretValue;
      /** SHA-256 of the DER certificate, hex: the `x5t#S256` that MSAL writes into the assertion. */
      readonly thumbprintSha256: string;
      readonly version: string;
    }
  | { readonly kind: "federated"; readonly assertion: SecretValue; readonly version: string };

/** Why a stored credential can be read but not used. An administrator has to correct each of them. */
export type CredentialProblem =
  /** The certificate is stored as PKCS #12, which Node cannot read. Create it with content type `application/x-pem-file`. */
  | "certificate_is_pkcs12"
  /** No private key, or it cannot be parsed. The certificate's key must be exportable. */
  | "certificate_key_missing"
  /** Not RSA of 2048 bits or more: Entra verifies RSA signatures only. */
  | "certificate_key_unsuitable"
  /** No certificate that matches the private key. */
  | "certificate_missing"
  | SecretProblem;

/** Why the form of a vault secret shows that it is no client secret. */
export type SecretProblem =
  | "secret_empty"
  | "secret_quoted"
  | "secret_is_json"
  /** A GUID: the secret's id instead of its value. */
  | "secret_is_id"
  /** A Key Vault reference or a URL. */
  | "secret_is_reference"
  | "secret_too_long"
  /** White space, a line break or a character outside printable ASCII. */
  | "secret_has_white_space";

/** Why there is no credential. `reason` is a code (a vault failure's kind, a network code), never external text. */
export type CredentialFailure =
  | { readonly kind: "credential_unavailable"; readonly reason: string }
  | { readonly kind: "credential_expired"; readonly version: string; readonly expiresAtSeconds: number }
  | { readonly kind: "credential_not_yet_valid"; readonly version: string; readonly notBeforeSeconds: number }
  | { readonly kind: "credential_disabled" }
  | { readonly kind: "credential_unusable"; readonly version: string; readonly problem: CredentialProblem };

/** For readiness: the version in use and its state. No secret. */
export interface CredentialDescription {
  /**
   * unread: not read yet; ready: in use; stale: in use, but the last read failed; refused: Entra refused it and there is
   * no other one; unavailable: no credential.
   */
  readonly state: "unread" | "ready" | "stale" | "refused" | "unavailable";
  readonly version: string | undefined;
  readonly expiresAtSeconds: number | undefined;
}

/** The source of the client credential. It caches: callers call it before every call to Entra. */
export interface ClientCredentialSource {
  /** The credential to use now. It does not wait for the vault while a usable one is in memory. */
  current(): Promise<Result<ClientCredential, CredentialFailure>>;
  /**
   * Entra refused this version with these numbers. True: `current()` now returns another one, so the caller tries once
   * more. False: there is no other one, so the failure is final for this request.
   */
  refused(version: string, codes: readonly number[]): Promise<boolean>;
  /**
   * After `refused` returned false: the seconds until the source looks for a new version again. Undefined: none is
   * expected, so an administrator has to act.
   */
  lookAgainSeconds(): number | undefined;
  /** Entra accepted this version. */
  accepted(version: string): void;
  describe(): CredentialDescription;
}
