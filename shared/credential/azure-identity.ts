/**
 * The service's identity in Azure: one object, shared by Key Vault, the grant table, Redis and the federated credential.
 * It imports the SDK, so it is loaded lazily. It makes no request before the first token is needed.
 *
 * Every token request has a deadline. The SDK ignores abort signals, and the clients built on it share a running token
 * request: one that never ends would block all of them permanently.
 */
import { CredentialUnavailableError, ManagedIdentityCredential, type TokenCredential } from "@azure/identity";
import { beforeDeadline, DeadlineError } from "../core/deadline.ts";

export type AzureIdentity = TokenCredential;

/**
 * The endpoint is on the same machine and answers in milliseconds. Shorter than the vault's deadline, so that the failure
 * names the identity and not the vault.
 */
const IDENTITY_DEADLINE_MS = 2_500;
/** By default the SDK retries for over a minute; the callers of this file have their own pauses. */
const RETRY_OPTIONS = { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 };

export interface AzureIdentityInput {
  /** Client id of a user-assigned identity; without it the system-assigned one is used. */
  readonly managedIdentityClientId?: string;
  /** For tests; normally `IDENTITY_DEADLINE_MS`. */
  readonly deadlineMs?: number;
}

export function createAzureIdentity(input: AzureIdentityInput): AzureIdentity {
  const { managedIdentityClientId, deadlineMs = IDENTITY_DEADLINE_MS } = input;
  const credential =
    managedIdentityClientId === undefined
      ? new ManagedIdentityCredential({ retryOptions: RETRY_OPTIONS })
      : new ManagedIdentityCredential({ clientId: managedIdentityClientId, retryOptions: RETRY_OPTIONS });
  return {
    async getToken(scopes, options) {
      try {
        return await beforeDeadline(credential.getToken(scopes, options), deadlineMs);
      } catch (error) {
        if (!(error instanceof DeadlineError)) throw error;
        throw new CredentialUnavailableError("The managed identity endpoint did not answer in time.");
      }
    },
  };
}
