import type { Result } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";

/** What proves to Entra that we are the registration: a secret, a certificate, or an assertion made on demand. */
export type ClientCredential =
  | { readonly kind: "secret"; readonly value: SecretValue; readonly version: string }
  | {
      readonly kind: "certificate";
      /** Private key, PEM PKCS #8. */
      readonly privateKey: SecretValue;
      /** SHA-256 of the DER certificate, hex: the `x5t#S256` that MSAL puts in the assertion. */
      readonly thumbprintSha256: string;
      readonly version: string;
    }
  | { readonly kind: "federated"; readonly assertion: SecretValue; readonly version: string };

/** What is wrong with a stored credential that we can read but cannot use. Each is an administrator's to mend. */
export type CredentialProblem =
  /** The certificate is stored as PKCS #12. Node cannot read it: create it with content type `application/x-pem-file`. */
  | "certificate_is_pkcs12"
  /** No private key, or it cannot be parsed. The certificate's key must be exportable. */
  | "certificate_key_missing"
  /** Not RSA of 2048 bits or more: Entra verifies RSA signatures only. */
  | "certificate_key_unsuitable"
  /** No certificate that fits the private key. */
  | "certificate_missing";

/** Why there is no credential. `reason` is a code (a vault failure's kind, a network code), never a text from outside. */
export type CredentialFailure =
  | { readonly kind: "credential_unavailable"; readonly reason: string }
  | { readonly kind: "credential_expired"; readonly version: string; readonly expiresAtSeconds: number }
  | { readonly kind: "credential_not_yet_valid"; readonly version: string; readonly notBeforeSeconds: number }
  | { readonly kind: "credential_disabled" }
  | { readonly kind: "credential_unusable"; readonly version: string; readonly problem: CredentialProblem };

/** For readiness: which version is offered and how it stands. No secret. */
export interface CredentialDescription {
  /** unread: nobody asked yet; ready: in use and fresh; stale: in use, but the last look at the vault failed; unavailable: none. */
  readonly state: "unread" | "ready" | "stale" | "unavailable";
  readonly version: string | undefined;
  readonly expiresAtSeconds: number | undefined;
}

/** Where the client credential comes from. Callers ask for it on every call to Entra; caching is in here. */
export interface ClientCredentialSource {
  /** The credential to use now. Never waits for the vault when a usable one is at hand. */
  current(): Promise<Result<ClientCredential, CredentialFailure>>;
  /**
   * Entra refused this version (7000215, 7000222). True: `current()` now gives another one, try once more. False: there
   * is no other, the failure is final for this request.
   */
  refused(version: string): Promise<boolean>;
  describe(): CredentialDescription;
}
