/**
 * Mode `key-vault-secret`: a client secret kept in Key Vault. Everything about reading and rotating it is in
 * `rotating-credential.ts`; here a vault secret becomes a credential. Failures: those of `ClientCredentialSource`.
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
