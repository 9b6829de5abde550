/**
 * The events of this folder for the operator log: a closed list of names with non-secret fields. `credential` is the
 * name of the vault secret (or `managed-identity`), `version` is the vault's version id, `reason` is a code from a
 * closed set or a network code. No external text.
 */
export type CredentialEvent =
  | { readonly name: "credential_read"; readonly credential: string; readonly version: string }
  | { readonly name: "credential_changed"; readonly credential: string; readonly from: string; readonly to: string }
  /**
   * Entra refused it with the number `aadsts`. `next` is the version that is used from now on, if there is another.
   * `remedy` says what the administrator does.
   */
  | {
      readonly name: "credential_refused";
      readonly credential: string;
      readonly version: string;
      readonly next: string | undefined;
      readonly aadsts: number | undefined;
      readonly remedy: string;
    }
  /** Entra accepts the credential again. */
  | { readonly name: "credential_accepted"; readonly credential: string; readonly version: string }
  /** The source could not be read; the last good value stays in use. */
  | {
      readonly name: "credential_stale";
      readonly credential: string;
      readonly version: string;
      readonly reason: string;
    }
  /** A version is not used, or no longer used: disabled, expired, not yet valid, unusable. */
  | {
      readonly name: "credential_version_unusable";
      readonly credential: string;
      readonly version: string | undefined;
      readonly reason: string;
    }
  /** No credential: the service cannot authenticate to Entra. */
  | { readonly name: "credential_unavailable"; readonly credential: string; readonly reason: string };

export type OnCredentialEvent = (event: CredentialEvent) => void;
