/** Why a value cannot be sealed or unsealed. */
export type SealFailure =
  /** The vault did not return the key; `reason` is the kind of its failure. */
  | { readonly kind: "sealing_key_unavailable"; readonly reason: string }
  /** Too many seals of this purpose named a key that is not in memory, so the vault was not asked about this one. */
  | { readonly kind: "too_many_unknown_keys" }
  /** The vault secret is not 32 bytes in base64. */
  | { readonly kind: "sealing_key_invalid"; readonly version: string }
  | { readonly kind: "seal_too_large" }
  | {
      readonly kind: "seal_broken";
      /**
       * form: not the exact form that the service writes; key: unknown version; decryption: wrong key, wrong handle or
       * changed text; row: sealed for another row.
       */
      readonly problem: "form" | "key" | "decryption" | "row";
    };
