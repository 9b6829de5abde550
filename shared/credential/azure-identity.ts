/**
 * The service's own identity in Azure: one object, shared by Key Vault, the grant table, Redis and the federated
 * credential. Brings the SDK, so it is loaded lazily. It asks nobody until the first token is needed.
 *
 * Every token has a deadline. The SDK ignores abort signals, and the clients built on it share a token call under way:
 * one that never ended would block each of them for good.
 */
import { CredentialUnavailableError, ManagedIdentityCredential, type TokenCredential } from "@azure/identity";
import { beforeDeadline, DeadlineError } from "../core/deadline.ts";

export type AzureIdentity = TokenCredential;

/** The endpoint is on the same machine and answers in milliseconds. Below the vault's deadline, so that the cause is told. */
const IDENTITY_DEADLINE_MS = 2_500;
/** The SDK would retry for over a minute; our callers have pauses of their own. */
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
