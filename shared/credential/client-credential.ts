import type { SecretValue } from "../secret-value.ts";

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
