/**
 * Remembers which credentials Entra accepted, so that not each request calls Entra. The key is an HMAC of client,
 * credential and registration with a random key of this process: without that key, the keys say nothing about a secret.
 * The value is the token that Entra issued, which the service checks again on every request.
 *
 * Only accepted credentials are stored, so a stranger cannot fill the memory. Bounded; the least recently used is removed
 * first. The time is an argument.
 */
import { createHmac, randomBytes } from "node:crypto";
import type { OwnCredentialOf } from "../caller/authenticate.ts";
import type { SecretValue } from "../core/secret-value.ts";

/**
 * How long an accepted secret is known after its token has expired. Entra is asked again, but outside the budget for
 * guesses, so that a stranger who guesses cannot lock out a client that calls at least once a day.
 */
const KNOWN_SECONDS = 24 * 60 * 60;
/** A client that signs a new assertion for each request uses one entry a request. */
const ENTRIES_MAX = 2_000;

export interface CredentialMemory {
  /** `appIdUri`: for which registration of the service Entra issues the token. */
  keyOf(credential: OwnCredentialOf, appIdUri: string): string;
  /** The token that Entra issued for this credential, if it is still valid. */
  token(key: string, nowSeconds: number): SecretValue | undefined;
  /** Entra accepted this credential before and has not refused it since. */
  isKnown(key: string, nowSeconds: number): boolean;
  remember(key: string, token: SecretValue, untilSeconds: number): void;
  /** Entra refuses the credential now. */
  forget(key: string): void;
}

interface Entry {
  readonly token: SecretValue;
  readonly untilSeconds: number;
}

export function createCredentialMemory(entriesMax = ENTRIES_MAX): CredentialMemory {
  const macKey = randomBytes(32);
  /** Least recently used first. */
  const entries = new Map<string, Entry>();
  const use = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    entries.delete(key);
    entries.set(key, entry);
    return entry;
  };
  return {
    keyOf({ method, clientId, value }, appIdUri) {
      // Only the last part can contain a space, so no two credentials have the same text.
      const text = `${method} ${clientId} ${appIdUri} ${value.reveal()}`;
      return createHmac("sha256", macKey).update(text).digest("base64url");
    },
    token(key, nowSeconds) {
      const entry = use(key);
      return entry !== undefined && entry.untilSeconds > nowSeconds ? entry.token : undefined;
    },
    isKnown(key, nowSeconds) {
      const entry = entries.get(key);
      return entry !== undefined && entry.untilSeconds + KNOWN_SECONDS > nowSeconds;
    },
    remember(key, token, untilSeconds) {
      entries.delete(key);
      entries.set(key, { token, untilSeconds });
      const oldest = entries.keys().next().value;
      if (entries.size > entriesMax && oldest !== undefined) entries.delete(oldest);
    },
    forget(key) {
      entries.delete(key);
    },
  };
}
