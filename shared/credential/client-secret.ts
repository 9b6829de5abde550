/**
 * Mode `key-vault-secret`: a client secret stored in Key Vault. Reading and rotation are in `rotating-credential.ts`;
 * this file turns a vault secret into a credential. A value whose form alone shows that it is no client secret is never
 * sent to Entra. Failures: those of `ClientCredentialSource`.
 */
import { isGuid } from "../core/guid.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { ClientCredentialSource, CredentialProblem } from "./client-credential.ts";
import { createRotatingCredential, type ReadCredential, type RotatingCredentialInput } from "./rotating-credential.ts";
import type { VaultSecret } from "./vault.ts";

/** Entra's secrets have about 40 characters. Older ones, which applications could choose themselves, had more. */
const SECRET_MAX_CHARACTERS = 256;

export type ClientSecretInput = Omit<RotatingCredentialInput, "toCredential">;

export function createClientSecret(input: ClientSecretInput): ClientCredentialSource {
  return createRotatingCredential({ ...input, toCredential: readSecret });
}

/** Exported for its tests. */
export function readSecret({ value, version }: VaultSecret): Result<ReadCredential, CredentialProblem> {
  const problem = secretProblem(value.reveal());
  return problem === undefined ? succeed({ credential: { kind: "secret", value, version } }) : fail(problem);
}

// ---------------------------------------------------------------------------------------------------------------

function secretProblem(text: string): CredentialProblem | undefined {
  const bare = text.trim();
  if (bare === "") return "secret_empty";
  if (/^["'`“”‘’]|["'`“”‘’]$/.test(bare)) return "secret_quoted";
  if (/^[{[]/.test(bare) && /[}\]]$/.test(bare)) return "secret_is_json";
  if (isGuid(bare)) return "secret_is_id";
  if (/^@Microsoft\.KeyVault\(|^https?:\/\//i.test(bare)) return "secret_is_reference";
  if (text.length > SECRET_MAX_CHARACTERS) return "secret_too_long";
  // White space at the ends, or a character that Entra never uses. `az keyvault secret set --file` adds a line break.
  return /[^\x21-\x7e]/.test(text) ? "secret_has_white_space" : undefined;
}
