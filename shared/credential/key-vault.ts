/**
 * Azure Key Vault as a `Vault`. It imports the SDK, so it is loaded lazily.
 *
 * One deadline covers a whole read with its one retry. A response with a Retry-After is not retried here: the callers
 * have their own pauses. SDK errors contain the vault's URL, secret names and error texts; only codes leave this file.
 * The dates of a secret are passed on without a check: the vault returns expired secrets.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type KeyVaultSecret, SecretClient, type SecretProperties } from "@azure/keyvault-secrets";
import type { CloudName } from "../config/clouds.ts";
import { beforeDeadline } from "../core/deadline.ts";
import { VAULT_DEADLINE_MS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { AzureIdentity } from "./azure-identity.ts";
import type { Vault, VaultFailure, VaultSecret, VaultVersion } from "./vault.ts";
import { isTransientVaultError, toVaultFailure } from "./vault-failure.ts";

/** Long enough for a new connection, short compared with the deadline. */
const RETRY_DELAY_MS = 200;
/** One page of the vault. If more than 25 versions are enabled, the older ones are not used. */
const VERSIONS_MAX = 25;

export interface KeyVaultInput {
  /** `https://<name>.vault.azure.net`, checked against the cloud's suffix by the configuration. */
  readonly vaultUrl: string;
  readonly cloudName: CloudName;
  readonly identity: AzureIdentity;
  /** For tests; normally `VAULT_DEADLINE_MS`. */
  readonly deadlineMs?: number;
}

export function createKeyVault({
  vaultUrl,
  cloudName,
  identity,
  deadlineMs = VAULT_DEADLINE_MS,
}: KeyVaultInput): Vault {
  const client = new SecretClient(vaultUrl, identity, {
    // The local vault's host is not below the audience that it names in its challenge. Elsewhere this check makes sure
    // that no other host gets the vault token.
    disableChallengeResourceVerification: cloudName === "local",
    // This file retries itself: the SDK would wait for a Retry-After, and the deadline would hide the throttling.
    retryOptions: { maxRetries: 0 },
  });
  const callVault = <T>(call: (abortSignal: AbortSignal) => Promise<T>) => callWithRetry(call, deadlineMs);

  return {
    async readSecret(name, version) {
      const read = await callVault((abortSignal) =>
        client.getSecret(name, { abortSignal, ...(version === undefined ? {} : { version }) }),
      );
      return read.ok ? toVaultSecret(read.value) : read;
    },
    async listVersions(name) {
      const listed = await callVault(async (abortSignal) => {
        const pages = client
          .listPropertiesOfSecretVersions(name, { abortSignal })
          .byPage({ maxPageSize: VERSIONS_MAX });
        for await (const page of pages) return page;
        return [];
      });
      return listed.ok ? succeed(toVersions(listed.value)) : listed;
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

async function callWithRetry<T>(
  call: (abortSignal: AbortSignal) => Promise<T>,
  deadlineMs: number,
): Promise<Result<T, VaultFailure>> {
  const abort = new AbortController();
  const attempts = (async (): Promise<T> => {
    try {
      return await call(abort.signal);
    } catch (error) {
      if (!isTransientVaultError(error)) throw error;
      await delay(RETRY_DELAY_MS, undefined, { signal: abort.signal });
      return call(abort.signal);
    }
  })();
  try {
    return succeed(await beforeDeadline(attempts, deadlineMs));
  } catch (error) {
    return fail(toVaultFailure(error));
  } finally {
    abort.abort();
  }
}

function toVaultSecret({ value, properties }: KeyVaultSecret): Result<VaultSecret, VaultFailure> {
  if (properties.enabled === false) return fail({ kind: "secret_disabled" });
  // The SDK accepts any body of a 200.
  if (typeof value !== "string" || value === "" || !isText(properties.version)) {
    return fail({ kind: "vault_answer_invalid" });
  }
  return succeed({
    value: new SecretValue(value),
    version: properties.version,
    ...toDates(properties),
    ...(isText(properties.contentType) ? { contentType: properties.contentType } : {}),
  });
}

function toVersions(page: readonly SecretProperties[]): readonly VaultVersion[] {
  return page
    .flatMap((entry) =>
      isText(entry.version)
        ? [
            {
              version: entry.version,
              enabled: entry.enabled === true,
              createdAtSeconds: toSeconds(entry.createdOn) ?? 0,
              ...toDates(entry),
            },
          ]
        : [],
    )
    .sort((a, b) => b.createdAtSeconds - a.createdAtSeconds);
}

function toDates({ notBefore, expiresOn }: SecretProperties) {
  const notBeforeSeconds = toSeconds(notBefore);
  const expiresAtSeconds = toSeconds(expiresOn);
  return {
    ...(notBeforeSeconds === undefined ? {} : { notBeforeSeconds }),
    ...(expiresAtSeconds === undefined ? {} : { expiresAtSeconds }),
  };
}

function toSeconds(date: Date | undefined): number | undefined {
  return date === undefined ? undefined : Math.floor(date.getTime() / 1000);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
