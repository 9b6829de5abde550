/**
 * Remembers verified tokens, so that the next request with the same bytes does not need another RSA verification. The
 * key is the SHA-256 of those bytes; the value is the token's claims, not the token. The times and the tenant are checked
 * again on each request, and policy decides again.
 *
 * A token is forgotten after ten minutes, when it expires, or as soon as the key set changes in any way, because a
 * signature is valid no longer than its key. Only tokens that passed every check are stored, so a caller without a valid
 * token cannot fill the memory. Bounded; the oldest entry is removed first. The clock is an argument.
 */
import type { CheckedClaims } from "./caller-claims.ts";
import type { IssuerKeys } from "./issuer-keys.ts";

/** How long a signature is not checked again. */
const REMEMBERED_SECONDS = 600;
/** Limit for all entries, measured by the length of their tokens; the decoded claims take about as much memory. */
const MAX_BYTES = 32 * 1024 * 1024;

export interface VerifiedTokens {
  /** Generation of the current key set. */
  readonly generation: number;
  /** The claims of a token that was verified before. `digest`: SHA-256 of its exact bytes. Undefined: verify it (again). */
  find(digest: string, nowSeconds: number): CheckedClaims | undefined;
  remember(verified: VerifiedToken, nowSeconds: number): void;
}

export interface VerifiedToken {
  readonly digest: string;
  /** Length of the token, bytes: counts towards the limit. */
  readonly bytes: number;
  readonly claims: CheckedClaims;
  /** Generation of the key set, read together with the key that verified the token. */
  readonly generation: number;
}

interface Entry {
  readonly claims: CheckedClaims;
  readonly untilSeconds: number;
  readonly generation: number;
  readonly bytes: number;
}

export interface VerifiedTokensInput {
  readonly keys: Pick<IssuerKeys, "generation">;
  /** For tests; normally 32 MiB. */
  readonly maxBytes?: number;
}

export function createVerifiedTokens({ keys, maxBytes = MAX_BYTES }: VerifiedTokensInput): VerifiedTokens {
  /** By digest, oldest first. */
  const entries = new Map<string, Entry>();
  let bytes = 0;

  const forget = (digest: string, entry: Entry): void => {
    entries.delete(digest);
    bytes -= entry.bytes;
  };

  return {
    get generation() {
      return keys.generation;
    },
    find(digest, nowSeconds) {
      const entry = entries.get(digest);
      if (entry === undefined) return undefined;
      if (entry.generation === keys.generation && entry.untilSeconds > nowSeconds) return entry.claims;
      forget(digest, entry);
      return undefined;
    },
    remember({ digest, bytes: size, claims, generation }, nowSeconds) {
      const known = entries.get(digest);
      if (known !== undefined) forget(digest, known);
      const untilSeconds = Math.min(claims.expiresAtSeconds, nowSeconds + REMEMBERED_SECONDS);
      if (generation !== keys.generation || untilSeconds <= nowSeconds) return;
      entries.set(digest, { claims, untilSeconds, generation, bytes: size });
      bytes += size;
      for (const [oldest, entry] of entries) {
        if (bytes <= maxBytes) break;
        forget(oldest, entry);
      }
    },
  };
}
