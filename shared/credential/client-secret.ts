/**
 * Mode `key-vault-secret`: a client secret stored in Key Vault. Reading and rotation are in `rotating-credential.ts`;
 * this file turns a vault secret into a credential. Failures: those of `ClientCredentialSource`.
 */
import { succeed } from "../core/result.ts";
import type { ClientCredentialSource } from "./client-credential.ts";
import { createRotatingCredential, type RotatingCredentialInput } from "./rotating-credential.ts";

export type ClientSecretInput = Omit<RotatingCredentialInput, "toCredential">;

export function createClientSecret(input: ClientSecretInput): ClientCredentialSource {
  return createRotatingCredential({
    ...input,
    toCredential: ({ value, version }) => succeed({ credential: { kind: "secret", value, version } }),
  });
}
