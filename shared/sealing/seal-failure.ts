/** Why a value cannot be sealed or unsealed. All but the first two look the same to callers. */
export type SealFailure =
  | { readonly kind: "sealing_key_unavailable"; readonly reason: string }
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
